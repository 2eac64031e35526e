import { headerText } from './content.ts';
import { rfc3339Text } from './timestamp.ts';
import type { SignedRequest } from './verifier.ts';

/** A verified payload that is no CloudEvent, as the rules that name it see it. */
export interface Payload {
  readonly request: SignedRequest;
  /** Parsed JSON or decoded form, else `null`. Integers past 2^53 are strings here, so that ids stay exact. */
  readonly data: unknown;
}

/** Yields one attribute's value, or `undefined` where the payload has none. */
export type PayloadRule = (payload: Payload) => string | undefined;

/** What a scheme makes of a payload: each rule may be left out, and may yield nothing. */
export interface PayloadRules {
  readonly type?: PayloadRule;
  readonly id?: PayloadRule;
  readonly source?: PayloadRule;
  readonly subject?: PayloadRule;
  readonly time?: PayloadRule;
}

/** A non-empty scalar as text, else `undefined`. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** The value below `data` at a path of member names. */
export function valueAt(data: unknown, names: readonly string[]): unknown {
  let value = data;
  for (const name of names) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** A request header, read as UTF-8 (header values arrive as one character per byte). */
export function header(name: string): PayloadRule {
  const lower = name.toLowerCase();
  return ({ request }) => {
    const value = headerText(request.headers, lower);
    return value === undefined || value === '' ? undefined : Buffer.from(value, 'latin1').toString('utf8');
  };
}

/** A scalar of the payload, by its member names. */
export function member(...names: readonly string[]): PayloadRule {
  return ({ data }) => scalarText(valueAt(data, names));
}

/** The same text for every payload. */
export function constant(value: string): PayloadRule {
  return () => value;
}

/** A member that holds Unix time in seconds, as RFC 3339. */
export function unixSeconds(...names: readonly string[]): PayloadRule {
  return ({ data }) => {
    const seconds = valueAt(data, names);
    const plausible = typeof seconds === 'number' && seconds >= 0 && seconds < 253_402_300_800;
    return plausible ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : undefined;
  };
}

/** What a rule yields where that is a time of RFC 3339. */
export function rfc3339(rule: PayloadRule): PayloadRule {
  return (payload) => rfc3339Text(rule(payload));
}

/** The first rule that yields something. */
export function firstOf(...rules: readonly PayloadRule[]): PayloadRule {
  return (payload) => {
    for (const rule of rules) {
      const value = rule(payload);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

/** `prefix` before what a rule yields. */
export function prefixed(prefix: string, rule: PayloadRule): PayloadRule {
  return (payload) => {
    const value = rule(payload);
    return value === undefined ? undefined : prefix + value;
  };
}
