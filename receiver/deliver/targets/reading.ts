import type { Answer } from '../outbound.ts';

/** What an answer means, as the kind of target has it. */
export type Reading =
  | { readonly outcome: 'done'; readonly result?: string }
  | { readonly outcome: 'retry'; readonly error: string; readonly atCeiling?: boolean }
  | { readonly outcome: 'refused'; readonly error: string };

/** One kind of target. */
export interface Target {
  /** Judges an answer. Pure; never throws, whatever the body holds. */
  read(answer: Answer): Reading;
}

/** The statuses that Knative's senders retry; other 4xx say that the same request will fail again. */
const RETRIED = new Set([404, 408, 409, 429]);

/** Judges by the status alone (Knative eventing, data plane contract). */
export function readStatus(status: number, error = `answered ${status}`): Reading {
  if (status >= 200 && status < 300) return DONE;
  if (isRedirect(status)) {
    return {
      outcome: 'refused',
      error: `${error}: redirects are not followed, set the uri to the final address`,
    };
  }
  return status >= 500 || RETRIED.has(status) ? { outcome: 'retry', error } : { outcome: 'refused', error };
}

/** 3xx: never followed, never retried. */
export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

const DONE: Reading = { outcome: 'done' };
