import { isOver, type Known } from './missed.ts';
import type { Standing } from './reading.ts';

/** A job and how far it was, as the journal keeps it: id, state, attempt. */
export type SavedState = readonly [id: string, state: string, attempt?: number];

interface Kept extends Known {
  /** It was read off the job, which says that it came at this time (RFC 3339); the backend may tell it yet. */
  readonly untold: string | undefined;
}

/** How far jobs are, by what was told of them: the newest of them. */
export interface JobStates {
  get(id: string): Known | undefined;
  /** Notes a change; false where reading the job has shown it, or what followed it, already. */
  told(change: Standing): boolean;
  /** Notes a change that was read off the job itself, and its number of attempts. */
  found(change: Standing, attempt: number | undefined): void;
  /** The newest, newest last. */
  save(most: number): readonly SavedState[];
  /** Jobs that are not over, newest first. */
  open(most: number): readonly string[];
}

/** Makes it; holds at most `capacity` jobs. */
export function createJobStates(saved: readonly SavedState[], capacity: number): JobStates {
  const states = new Map<string, Kept>(
    saved.map(([id, state, attempt]) => [id, { state, attempt, untold: undefined }]),
  );

  function set(id: string, kept: Kept): void {
    states.delete(id);
    states.set(id, kept);
    if (states.size <= capacity) return;
    const eldest = states.keys().next();
    if (eldest.done !== true) states.delete(eldest.value);
  }

  return {
    get: (id) => states.get(id),
    told(standing) {
      const { jobId, to, at } = standing;
      const known = states.get(jobId);
      if (known?.untold !== undefined) {
        if (known.state === to) {
          set(jobId, { ...known, untold: undefined });
          return false;
        }
        if (Date.parse(at) <= Date.parse(known.untold)) return false;
      }
      set(jobId, { state: to, attempt: attemptOf(standing, known?.attempt), untold: undefined });
      return true;
    },
    found({ jobId, to, at }, attempt) {
      set(jobId, { state: to, attempt, untold: at });
    },
    save: (most) =>
      [...states]
        .slice(-most)
        .map(([id, { state, attempt }]) => (attempt === undefined ? [id, state] : [id, state, attempt])),
    open: (most) =>
      [...states]
        .filter(([, { state }]) => !isOver(state))
        .slice(-most)
        .toReversed()
        .map(([id]) => id),
  };
}

/** Attempts are counted where a job was known from its beginning on. */
function attemptOf({ from, to }: Standing, before: number | undefined): number | undefined {
  if (from === '' && (to === 'available' || to === 'scheduled')) return before ?? 0;
  return to === 'active' && before !== undefined ? before + 1 : before;
}
