import { parseQuantity } from '../operator/quantity.ts';
import { BACKLOG_BOUNDS } from '../receiver/deliver/backlog.ts';
import type { ReceiverOptions } from '../receiver/receiver.ts';
import { DURATION_EXAMPLES, optionDuration } from './duration.ts';
import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';

/** What bounds a receiver's journal. */
export type Bounds = Pick<ReceiverOptions, 'maxBacklog' | 'journal'>;

/** Options that say how long something is kept, and what of. */
const KEPT = { 'keep-delivered': 'delivered', 'keep-unmatched': 'unmatched', 'keep-dead': 'dead' } as const;

/** The bounds of a receiver, as `run` and `receiver` take them. */
export const BOUND_OPTIONS: readonly Option[] = [
  {
    name: 'max-backlog',
    value: 'N',
    help: `Deliveries that may wait; at so many, senders are answered 503 with Retry-After.\nDefault: ${BACKLOG_BOUNDS.most}`,
  },
  {
    name: 'max-journal',
    value: 'SIZE',
    help: 'The journal’s size on disk, such as 10Gi; history goes first, then senders get 503.\nDefault: 80 % of the volume',
  },
  {
    name: 'keep-delivered',
    value: 'TIME',
    help: 'How long events are kept whose deliveries were all made. Default: 7d',
  },
  { name: 'keep-unmatched', value: 'TIME', help: 'How long events are kept that nobody took. Default: 7d' },
  { name: 'keep-dead', value: 'TIME', help: 'How long dead letters are kept. Default: 30d' },
];

/** The bounds that the options make. Throws UsageError. */
export function boundsOf(parsed: Parsed): Bounds {
  const maxBytes = bytesOf(parsed);
  const retention = retentionOf(parsed);
  return {
    maxBacklog: backlogOf(parsed),
    journal: { ...(maxBytes === undefined ? {} : { maxBytes }), retention },
  };
}

function backlogOf(parsed: Parsed): number {
  const text = parsed.text('max-backlog') ?? String(BACKLOG_BOUNDS.most);
  if (/^[1-9]\d{0,11}$/.test(text)) return Number(text);
  throw new UsageError(`--max-backlog ${text} is no number of deliveries; write one such as 100000.`);
}

function bytesOf(parsed: Parsed): number | undefined {
  const text = parsed.text('max-journal');
  if (text === undefined) return undefined;
  const bytes = parseQuantity(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UsageError(`--max-journal ${text} is no size; write one such as 10Gi.`);
}

function retentionOf(parsed: Parsed): Readonly<Record<string, number>> {
  const kept: Record<string, number> = {};
  for (const [name, what] of Object.entries(KEPT)) {
    const text = parsed.text(name);
    if (text === undefined) continue;
    const ms = optionDuration(text);
    if (ms === undefined)
      throw new UsageError(`--${name} ${text} is no time; write one such as ${DURATION_EXAMPLES}.`);
    kept[what] = ms;
  }
  return kept;
}
