import type { CloudEvent } from '../event/event.ts';
import type { RunningTrigger } from '../routing/runtime.ts';
import type { StreamRoutes } from '../routing/stream-routes.ts';
import { endedJob } from './job-outcome.ts';
import type { By } from './kept.ts';
import type { RunningStream } from './running-stream.ts';
import type { Stream } from './stream.ts';

/** What an event may do to one value stream, before anything is known of its instances. */
export interface Call {
  readonly trigger: RunningTrigger;
  /** By which it finds an instance, the first that leads to one. */
  readonly keys: readonly KeyCall[];
  /** It starts an instance, where none of the keys leads to one. */
  readonly starts: boolean;
}

export interface KeyCall {
  /** The correlation key, or the job's id. */
  readonly key: string;
  readonly by: By;
}

/** What an event asks of the streams at its entrance. */
export interface Asked {
  readonly calls: readonly Call[];
  /** The instance that it names: then it starts none. */
  readonly instance?: string;
}

/** Streams of earlier versions that instances still run. */
export type OlderStreams = (trigger: string) => readonly RunningStream[];

const NONE: readonly Call[] = [];

/** What an event asks of the streams that read from where it came in; undefined: nothing. Pure. */
export function askedOf(event: CloudEvent, routes: StreamRoutes, older: OlderStreams): Asked | undefined {
  const jobs = jobCalls(event, routes);
  const instance = event.attributes['instanceid'];
  if (instance !== undefined && instance !== '' && routes.members.size > 0) return { calls: jobs, instance };
  const starts = routes.starts.match(event);
  const calls = routes.members.size === 0 ? NONE : eventCalls(event, routes, starts, older);
  return calls.length + jobs.length === 0 ? undefined : { calls: [...calls, ...jobs] };
}

/** What an event that is offered anew asks of the one stream that it was for. */
export function askedAgain(
  event: CloudEvent,
  trigger: RunningTrigger,
  older: OlderStreams,
): Asked | undefined {
  const instance = event.attributes['instanceid'];
  if (instance !== undefined && instance !== '') return { calls: [], instance };
  const call = callOf(event, trigger, trigger.matcher.matches(event), older);
  const job = endedJob(event);
  const jobs =
    job === undefined ? NONE : [{ trigger, keys: [{ key: job, by: 'job' as const }], starts: false }];
  return { calls: call === undefined ? jobs : [call, ...jobs] };
}

function eventCalls(
  event: CloudEvent,
  { wakes, members }: StreamRoutes,
  starts: readonly RunningTrigger[],
  older: OlderStreams,
): readonly Call[] {
  const touched = new Set(starts);
  for (const { trigger } of wakes.match(event)) touched.add(trigger);
  for (const trigger of members.values()) if (older(trigger.key).length > 0) touched.add(trigger);
  const calls: Call[] = [];
  for (const trigger of touched) {
    const call = callOf(event, trigger, starts.includes(trigger), older);
    if (call !== undefined) calls.push(call);
  }
  return calls;
}

function callOf(
  event: CloudEvent,
  trigger: RunningTrigger,
  starts: boolean,
  older: OlderStreams,
): Call | undefined {
  const { stream } = trigger;
  if (stream === undefined) return undefined;
  const keys: KeyCall[] = [];
  const add = (key: string, by: By): void => {
    if (!keys.some((known) => known.key === key)) keys.push({ key, by });
  };
  if (starts) {
    const own = stream.stream.correlate?.(event);
    if (own?.ok === true) add(own.key, 'rule');
  }
  for (const version of [stream, ...older(trigger.key)])
    if (version.wakes?.matches(event) === true)
      for (const key of waitKeys(version.stream, event)) add(key, 'key');
  return starts || keys.length > 0 ? { trigger, keys, starts } : undefined;
}

function waitKeys({ steps }: Stream, event: CloudEvent): readonly string[] {
  return steps.flatMap(({ wait }) => {
    if (wait?.kind !== 'events') return [];
    return wait.waits.flatMap(({ matches, correlate }) => {
      if (correlate === undefined || !matches(event)) return [];
      const found = correlate(event);
      return found.ok ? [found.key] : [];
    });
  });
}

function jobCalls(event: CloudEvent, { jobs }: StreamRoutes): readonly Call[] {
  if (jobs.length === 0) return NONE;
  const job = endedJob(event);
  if (job === undefined) return NONE;
  return jobs.map((trigger) => ({ trigger, keys: [{ key: job, by: 'job' as const }], starts: false }));
}
