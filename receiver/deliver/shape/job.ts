import { type Compiled, compiled } from '../../errors.ts';
import type { CloudEvent } from '../../event/event.ts';
import type { JobShape, Shape } from '../../routing/table.ts';
import { ORIGIN_ATTRIBUTE, ORIGIN_META } from '../loop-guard.ts';
import { type RenderContext, RenderError, type Rendered } from '../renderer.ts';
import { type ArgsText, type ArgsWriter, compileArgs } from './args.ts';
import { compileOptions } from './job-options.ts';
import { argsByType, compileJobType, isJobType, JOB_TYPE_FORM } from './job-type.ts';
import { type EventMapper, evaluate } from './map.ts';
import { findingsOf } from './map-value.ts';
import type { TargetRenderer } from './target-renderer.ts';

/** Where a backend takes jobs (OJS HTTP binding 9.1), below its base address. */
const PATH = '/ojs/v1/jobs';
const CONTENT_TYPE = 'application/openjobspec+json';

/**
 * Makes the job envelope of an event (OJS CloudEvents interop, Job Trigger): `type`, `args`, `meta` with what triggered
 * it, and `options`, where real servers look for `queue` and `unique`.
 */
export function compileJob(shape: Shape, path: string, map: EventMapper): Compiled<TargetRenderer> {
  const job = shape.job ?? {};
  const field = `${path}.target.job`;
  // The event is mapped by the time its type is looked up.
  const { map: _mapped, ...unmapped } = shape;
  const rule = compileJobType(unmapped, path);
  const args = compileArgs(job.args, `${field}.args`);
  const perType = compileArgsByType(job, field);
  const options = compileOptions(job.options, `${field}.options`);
  if (!rule.ok || !args.ok || !perType.ok || !options.ok) {
    return { ok: false, findings: findingsOf([rule, args, perType, options]) };
  }
  const { jobType, field: typeField } = rule.value;
  const writeOptions = options.value;

  function checkedType(event: CloudEvent): string {
    const type = jobType(event);
    if (type === undefined)
      throw new RenderError(typeField, `no job type for ${JSON.stringify(event.type)}; name it in types`);
    if (isJobType(type)) return type;
    throw new RenderError(
      typeField,
      `the event type ${JSON.stringify(event.type)} becomes ${JSON.stringify(type)}, which is no OJS job type; name it in types, with ${JOB_TYPE_FORM}`,
    );
  }

  return compiled((original, context) => {
    const event = map(original);
    const type = checkedType(event);
    const writeArgs = perType.value.get(event.type) ?? args.value;
    const argsText = evaluate(() => writeArgs(event), `${field}.args`);
    const written = writeOptions(context.receivedAt);
    const head = `{"type":"${type}","args":`;
    const tail = `,"meta":${metaOf(event, context)}${written === undefined ? '' : `,"options":${written}`}}`;
    return rendered(joined(head, argsText, tail), context);
  });
}

function compileArgsByType(job: JobShape, field: string): Compiled<ReadonlyMap<string, ArgsWriter>> {
  const writers = new Map<string, ArgsWriter>();
  const results = [...argsByType(job)].map(([eventType, { args, index }]) => {
    const result = compileArgs(args, `${field}.types[${index}].args`);
    if (result.ok) writers.set(eventType, result.value);
    return result;
  });
  const findings = findingsOf(results);
  return findings.length > 0 ? { ok: false, findings } : compiled(writers);
}

function metaOf(event: CloudEvent, context: RenderContext): string {
  const { subject, time, instanceid } = event.attributes;
  let meta = `{"trigger_event_id":${JSON.stringify(event.id)},"trigger_source":${JSON.stringify(event.source)}`;
  if (subject !== undefined) meta += `,"trigger_subject":${JSON.stringify(subject)}`;
  if (time !== undefined) meta += `,"trigger_time":${JSON.stringify(time)}`;
  const origin = event.attributes[ORIGIN_ATTRIBUTE];
  if (origin !== undefined) meta += `,"${ORIGIN_META}":${JSON.stringify(origin)}`;
  // Outside steps it is an extension like any other.
  if (event.context !== undefined && instanceid !== undefined)
    meta += `,"instance_id":${JSON.stringify(instanceid)}`;
  return `${meta},"idempotency_key":${JSON.stringify(context.idempotencyKey)}}`;
}

/** One buffer, filled once: an envelope is mostly the event's own bytes. */
function joined(head: string, args: ArgsText, tail: string): Buffer {
  if (typeof args === 'string') return Buffer.from(head + args + tail);
  const before = head + args.open;
  const after = args.close + tail;
  const start = Buffer.byteLength(before);
  const body = Buffer.allocUnsafe(start + args.raw.length + Buffer.byteLength(after));
  body.write(before);
  args.raw.copy(body, start);
  body.write(after, start + args.raw.length);
  return body;
}

function rendered(body: Buffer, { idempotencyKey }: RenderContext): Rendered {
  return {
    path: PATH,
    headers: {
      'content-type': CONTENT_TYPE,
      'idempotency-key': idempotencyKey,
      'x-request-id': idempotencyKey,
    },
    body,
  };
}
