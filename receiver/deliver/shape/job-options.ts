import { type Compiled, compiled, type Finding } from '../../errors.ts';
import { durationMs, isoDuration } from './duration.ts';

/** `options` of the job envelope as JSON text, or undefined where there are none; `receivedAt` in milliseconds since the epoch. */
export type OptionsWriter = (receivedAt: number) => string | undefined;

/** What an option becomes in the envelope. */
interface Written {
  readonly name: string;
  readonly value: unknown;
}

type Rule = (value: unknown) => Written | string;

const QUEUE = /^[a-z0-9][a-z0-9\-.]*$/;
const MAX_QUEUE = 128;

/**
 * The options that OJS gives a form (HTTP binding 9.1, JSON format 3.4 and 3.5). Durations are written as everywhere in
 * Signalbox and leave as OJS has them. Any other option leaves as it is written, for backends know more than the
 * specification does.
 */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['queue', queue],
  ['priority', integer('priority')],
  ['timeout', milliseconds('timeout_ms')],
  ['visibility_timeout', milliseconds('visibility_timeout_ms')],
  ['timeout_ms', integer('timeout_ms')],
  ['visibility_timeout_ms', integer('visibility_timeout_ms')],
  ['tags', tags],
  ['retry', withDurations('retry', ['initial_interval', 'max_interval'])],
  ['unique', withDurations('unique', ['period'])],
]);

/**
 * Compiles `options`. `delay` counts from the event's acceptance, so that each attempt at a delivery asks for the same
 * moment.
 */
export function compileOptions(
  options: Readonly<Record<string, unknown>> | undefined,
  path: string,
): Compiled<OptionsWriter> {
  const written: Record<string, unknown> = {};
  const findings: Finding[] = [];
  const { delay, ...others } = options ?? {};
  for (const [name, value] of Object.entries(others)) {
    const rule = RULES.get(name);
    const result = rule === undefined ? { name, value } : rule(value);
    if (typeof result === 'string') findings.push({ field: `${path}.${name}`, message: result });
    else written[result.name] = result.value;
  }
  const delayMs = delay === undefined ? 0 : durationOf(delay);
  if (delayMs === undefined) findings.push({ field: `${path}.delay`, message: DURATION_FAULT });
  if (findings.length > 0) return { ok: false, findings };
  const constant = Object.keys(written).length === 0 ? undefined : JSON.stringify(written);
  if (delayMs === undefined || delayMs === 0) return compiled(() => constant);
  return compiled((receivedAt) => {
    const until = new Date(receivedAt + delayMs).toISOString();
    return JSON.stringify({ ...written, delay_until: until });
  });
}

const DURATION_FAULT = 'is no duration; write it like 90s, 1h30m or PT0.5S';

function durationOf(value: unknown): number | undefined {
  return typeof value === 'string' ? durationMs(value) : undefined;
}

function queue(value: unknown): Written | string {
  if (typeof value === 'string' && value.length <= MAX_QUEUE && QUEUE.test(value))
    return { name: 'queue', value };
  return `is no OJS queue name; use lower-case letters, digits, hyphens and dots, at most ${MAX_QUEUE} characters`;
}

function integer(name: string): Rule {
  return (value) =>
    Number.isSafeInteger(value) ? { name, value } : 'is no integer; write it without quotes and fractions';
}

function milliseconds(name: string): Rule {
  return (value) => {
    const ms = durationOf(value);
    return ms === undefined || ms === 0 ? DURATION_FAULT : { name, value: ms };
  };
}

function tags(value: unknown): Written | string {
  const texts = Array.isArray(value) && value.every((tag) => typeof tag === 'string');
  return texts ? { name: 'tags', value } : 'is no list of texts; write it like [a, b]';
}

function withDurations(name: string, members: readonly string[]): Rule {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return 'is no object; give its members';
    const copy: Record<string, unknown> = { ...value };
    for (const member of members) {
      if (copy[member] === undefined) continue;
      const ms = durationOf(copy[member]);
      if (ms === undefined) return `has ${member}, which ${DURATION_FAULT}`;
      copy[member] = isoDuration(ms);
    }
    return { name, value: copy };
  };
}
