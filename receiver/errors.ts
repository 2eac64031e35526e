/**
 * One thing wrong with a resource's spec, as its author needs to read it.
 * `field` is the path below the resource (`spec.filters[0].exact`), `message` says what is wrong and the remedy.
 */
export interface Finding {
  readonly field: string;
  readonly message: string;
}

/** What a compiler answers: the compiled thing, or every finding at once (never only the first). */
export type Compiled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** Wraps a compiled value. */
export function compiled<T>(value: T): Compiled<T> {
  return { ok: true, value };
}

/** Wraps one finding. */
export function refused(field: string, message: string): Compiled<never> {
  return { ok: false, findings: [{ field, message }] };
}

/**
 * A request that is refused, with the status and the stable code its sender gets.
 * `message` is safe to send: it never holds a secret. `cause` is for the decision record only.
 */
export class RequestError extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds; sent as `Retry-After` with 429 and 503. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { cause?: unknown; retryAfter?: number } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'RequestError';
    this.status = status;
    this.code = code;
    this.retryAfter = more.retryAfter;
  }
}
