import { buildIndex, type Index, type Indexed } from '../match/index.ts';
import type { RunningTrigger } from './running.ts';

/** The value streams that read from one entrance. */
export interface StreamRoutes {
  /** Those whose own filters take an event: it starts an instance, or wakes one by the trigger's `correlate`. */
  readonly starts: Index<RunningTrigger>;
  /** Those with a wait that an event may meet by the wait's `correlate`. */
  readonly wakes: Index<Indexed & { readonly trigger: RunningTrigger }>;
  /** Those that may be woken by an instance's id. */
  readonly members: ReadonlyMap<string, RunningTrigger>;
  /** Those that wait for jobs of the bridge that the entrance is. */
  readonly jobs: readonly RunningTrigger[];
}

/** Builds the routes of an entrance; undefined where no stream reads from it. */
export function buildStreamRoutes(
  entrance: string,
  readers: readonly RunningTrigger[],
  jobs: readonly RunningTrigger[],
): StreamRoutes | undefined {
  const streams = readers.filter(({ stream }) => stream !== undefined);
  if (streams.length === 0 && jobs.length === 0) return undefined;
  return {
    starts: buildIndex(streams),
    wakes: buildIndex(
      streams.flatMap((trigger) => {
        const matcher = trigger.stream?.wakes;
        return matcher === undefined ? [] : [{ key: trigger.key, matcher, trigger }];
      }),
    ),
    members: new Map(streams.map((trigger) => [trigger.key, trigger])),
    jobs: jobs.filter(({ stream }) => stream?.bridges.includes(entrance)),
  };
}
