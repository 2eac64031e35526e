import type { Instance } from './instance.ts';
import { endedJob, jobOutcome } from './job-outcome.ts';
import { type Arrived, revive } from './kept.ts';
import type { EventsWait, JobWait, NamedWait, Stream } from './stream.ts';

type Known = Pick<Instance, 'key' | 'answers'>;

/** Whether an event may meet a wait of this instance. */
export function meets(wait: NamedWait, { by, event }: Arrived, { key }: Known): boolean {
  if (by === 'job') return false;
  const revived = revive(event);
  if (!wait.matches(revived)) return false;
  if (by === 'id') return true;
  if (wait.correlate === undefined) return by === 'rule';
  const own = wait.correlate(revived);
  return own.ok && own.key === key;
}

/** The first of a step's waits that an event meets and that nothing has met yet. */
export function openWait(wait: EventsWait, arrived: Arrived, instance: Instance): NamedWait | undefined {
  return wait.waits.find((one) => !instance.met.includes(one.name) && meets(one, arrived, instance));
}

/** How the awaited job ended, where an event tells that. */
export function endOf(
  wait: JobWait,
  { by, event }: Arrived,
  known: Known,
): 'completed' | 'failed' | undefined {
  if (by !== 'job' || event.entrance !== wait.entrance) return undefined;
  const revived = revive(event);
  return endedJob(revived) === jobOf(wait.step, known) ? jobOutcome(revived) : undefined;
}

/** The id of the job that a step made. */
export function jobOf(step: string, { answers }: Pick<Known, 'answers'>): string | undefined {
  const data = answers[step]?.data;
  if (typeof data !== 'object' || data === null) return undefined;
  const id = (data as { readonly id?: unknown }).id;
  return typeof id === 'string' ? id : undefined;
}

/** Whether any step of the stream could take the event, now or later; only then the instance keeps it. */
export function isWanted(stream: Stream, arrived: Arrived, known: Known): boolean {
  if (arrived.by === 'rule') return true;
  return stream.steps.some(({ wait }) => {
    if (wait?.kind === 'events') return wait.waits.some((one) => meets(one, arrived, known));
    return wait?.kind === 'job' && endOf(wait, arrived, known) !== undefined;
  });
}
