import { type Compiled, compiled, type Finding, refused } from '../../errors.ts';
import type { CloudEvent } from '../../event/event.ts';
import { eventJson } from '../../expression/event-json.ts';
import { quoted } from '../../expression/quoted.ts';
import type { JobArgs, JobShape, Shape } from '../../routing/table.ts';
import { compileMapValue } from './map-value.ts';

/** What `stripPrefix` is where it is left out (OJS CloudEvents interop, Job Trigger). */
export const DEFAULT_STRIP_PREFIX = 'org.openjobspec.trigger.';

/** Which job an event's type becomes. */
export interface JobTypeRule {
  /** The member of the spec that decides: for messages. */
  readonly field: string;
  /** undefined where no rule fits: the event does not match. Not yet checked against what OJS takes. */
  jobType(event: CloudEvent): string | undefined;
  /** Why it is undefined, in one sentence. */
  because(event: CloudEvent): string;
  /** What every event that fits has. */
  readonly anchors: readonly {
    readonly attribute: string;
    readonly dialect: 'prefix';
    readonly values: readonly string[];
  }[];
}

const JOB_TYPE = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;
const MAX_JOB_TYPE = 255;

/** Whether OJS takes a job type (core specification, job envelope). */
export function isJobType(text: string): boolean {
  return text.length <= MAX_JOB_TYPE && JOB_TYPE.test(text);
}

/** What a job type may look like, for messages. */
export const JOB_TYPE_FORM = `lower-case letters, digits and underscores in parts joined by dots, at most ${MAX_JOB_TYPE} characters`;

/**
 * Compiles the job type's rule: `type` for every event, or else `types` by the event's type and then `stripPrefix`.
 * The event's type is the one after `map`.
 */
export function compileJobType(shape: Shape, path: string): Compiled<JobTypeRule> {
  const job = shape.job ?? {};
  const field = `${path}.target.job`;
  const findings = checkTypes(job, field);
  if (findings.length > 0) return { ok: false, findings };
  if (job.type !== undefined) return compiled(fixed(job.type, `${field}.type`));
  const mapped = compileMappedType(shape, path);
  if (!mapped.ok) return mapped;
  const find = lookUp(job);
  const { eventType, fault } = mapped.value;
  return compiled({
    field: job.types === undefined ? `${field}.stripPrefix` : `${field}.types`,
    jobType: (event) => {
      const type = eventType(event);
      return type === undefined ? undefined : find(type);
    },
    because: (event) => {
      const type = eventType(event);
      return type === undefined ? `map.type fails: ${fault(event)}` : `no job type for ${quoted(type)}`;
    },
    anchors:
      shape.map?.type === undefined ? [{ attribute: 'type', dialect: 'prefix', values: fitting(job) }] : [],
  });
}

/** The arguments that `types` names for an event's type. */
export function argsByType(
  job: JobShape,
): ReadonlyMap<string, { readonly args: JobArgs; readonly index: number }> {
  const found = new Map<string, { args: JobArgs; index: number }>();
  job.types?.forEach(({ eventType, args }, index) => {
    if (args !== undefined) found.set(eventType, { args, index });
  });
  return found;
}

function checkTypes(job: JobShape, field: string): readonly Finding[] {
  const findings: Finding[] = [];
  // The schema gives stripPrefix its default in any case; beside `type` it has nothing to say.
  if (job.type !== undefined && job.types !== undefined) {
    findings.push({ field: `${field}.type`, message: 'stands for every event; leave out types, or type' });
  }
  if (job.type !== undefined) findings.push(...checkJobType(job.type, `${field}.type`));
  const seen = new Set<string>();
  job.types?.forEach(({ eventType, jobType }, i) => {
    findings.push(...checkJobType(jobType, `${field}.types[${i}].jobType`));
    if (seen.has(eventType))
      findings.push({
        field: `${field}.types[${i}].eventType`,
        message: `"${eventType}" is named twice; keep one`,
      });
    seen.add(eventType);
  });
  return findings;
}

function checkJobType(jobType: string, field: string): readonly Finding[] {
  return isJobType(jobType)
    ? []
    : [{ field, message: `"${jobType}" is no OJS job type; use ${JOB_TYPE_FORM}` }];
}

function fixed(jobType: string, field: string): JobTypeRule {
  return { field, jobType: () => jobType, because: () => 'every event has one', anchors: [] };
}

function lookUp(job: JobShape): (eventType: string) => string | undefined {
  const types = new Map(job.types?.map(({ eventType, jobType }) => [eventType, jobType]));
  const prefix = job.stripPrefix ?? DEFAULT_STRIP_PREFIX;
  return (eventType) => {
    const named = types.get(eventType);
    if (named !== undefined) return named;
    return eventType.length > prefix.length && eventType.startsWith(prefix)
      ? eventType.slice(prefix.length)
      : undefined;
  };
}

/** An exact type is a prefix of itself, so that both rules make one anchor. */
function fitting(job: JobShape): readonly string[] {
  return [...(job.types ?? []).map(({ eventType }) => eventType), job.stripPrefix ?? DEFAULT_STRIP_PREFIX];
}

interface MappedType {
  /** The event's type after `map`; undefined where `map` yields none. */
  eventType(event: CloudEvent): string | undefined;
  /** Why there is none. */
  fault(event: CloudEvent): string;
}

function compileMappedType(shape: Shape, path: string): Compiled<MappedType> {
  const mapped = shape.map?.type;
  if (mapped === undefined) return compiled({ eventType: (event) => event.type, fault: () => '' });
  const text = compileMapValue(mapped, `${path}.map.type`);
  if (!text.ok)
    return refused(`${path}.map.type`, text.findings.map((finding) => finding.message).join('; '));
  const make = text.value;
  return compiled({
    eventType: (event) => {
      try {
        return make(eventJson(event));
      } catch {
        // What cannot be mapped has no job type: no match, told as such.
        return undefined;
      }
    },
    fault: (event) => {
      try {
        make(eventJson(event));
        return 'the path yields nothing';
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  });
}
