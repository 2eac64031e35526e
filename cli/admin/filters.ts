import { optionDuration } from '../duration.ts';
import type { Option, Parsed } from '../options.ts';

/** What the admin API's lists can be narrowed by, as options. */
export const FILTERS = {
  source: { name: 'source', value: 'URI', help: 'Only events of this source.' },
  id: { name: 'id', value: 'ID', help: 'Only events with this id.' },
  type: { name: 'type', value: 'TYPE', help: 'Only events of this type.' },
  entrance: {
    name: 'entrance',
    value: 'NAME',
    help: 'With --rejected: only what was refused there, for example WebhookSecret/shop/stripe.',
  },
  code: { name: 'code', value: 'CODE', help: 'With --rejected: only refusals of this code.' },
  trigger: { name: 'trigger', value: 'NAME', help: 'Only what this EventTrigger took, namespace/name.' },
  state: {
    name: 'state',
    value: 'STATE',
    help: 'Only deliveries that are waiting, parked, delivered or dead, and events that have one.',
  },
  instanceState: {
    name: 'state',
    value: 'STATE',
    help: 'Only instances that are Running, Waiting, Blocked, Finished, Failed or Cancelled.',
  },
  stream: { name: 'trigger', value: 'NAME', help: 'Only instances of this EventTrigger, namespace/name.' },
  since: {
    name: 'since',
    value: 'TIME',
    help: 'Only what was accepted at this time or later: 2026-01-31T12:00:00Z, or 2h for two hours ago.',
  },
  until: { name: 'until', value: 'TIME', help: 'Only what was accepted before this time.' },
} satisfies Record<string, Option>;

export type FilterName = keyof typeof FILTERS;

const TIMES: ReadonlySet<string> = new Set(['since', 'until']);

/** A filter's value as the API takes it: a time that counts back from now becomes a time. */
export function filterValue(name: string, parsed: Parsed, now: number): string | undefined {
  const value = parsed.text(name);
  if (value === undefined || !TIMES.has(name)) return value;
  // Digits alone are a time for the API: milliseconds since 1970.
  const ago = /^\d*$/.test(value) ? undefined : optionDuration(value);
  return ago === undefined ? value : String(now - ago);
}
