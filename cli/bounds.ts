import { BACKLOG_BOUNDS } from '../receiver/deliver/backlog.ts';
import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';

/** What bounds a receiver's journal. */
export interface Bounds {
  readonly maxBacklog: number;
}

/** The bounds of a receiver, as `run` and `receiver` take them. */
export const BOUND_OPTIONS: readonly Option[] = [
  {
    name: 'max-backlog',
    value: 'N',
    help: `Deliveries that may wait; at so many, senders are answered 503 with Retry-After. Default: ${BACKLOG_BOUNDS.most}`,
  },
];

/** The bounds that the options make. Throws UsageError. */
export function boundsOf(parsed: Parsed): Bounds {
  const text = parsed.text('max-backlog') ?? String(BACKLOG_BOUNDS.most);
  if (/^[1-9]\d{0,11}$/.test(text)) return { maxBacklog: Number(text) };
  throw new UsageError(`--max-backlog ${text} is no number of deliveries; write one such as 100000.`);
}
