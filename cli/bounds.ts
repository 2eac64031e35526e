import { parseQuantity } from '../operator/quantity.ts';
import { BACKLOG_BOUNDS } from '../receiver/deliver/backlog.ts';
import type { HistoryLimits, Kept } from '../receiver/journal/sqlite/retention.ts';
import type { RefusalLimits } from '../receiver/observe/refusal-bounds.ts';
import type { ReceiverOptions } from '../receiver/receiver.ts';
import { DURATION_EXAMPLES, optionDuration } from './duration.ts';
import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';

/** What bounds a receiver's journal. */
export type Bounds = Pick<ReceiverOptions, 'maxBacklog' | 'rejected' | 'journal'>;

/** Options that say how long something is kept, and what of. */
const KEPT = { 'keep-delivered': 'delivered', 'keep-unmatched': 'unmatched', 'keep-dead': 'dead' } as const;

const EVENTS = {
  delivered: 'Events whose deliveries were all made,',
  unmatched: 'Events that nobody took,',
  dead: 'Dead letters',
} as const;

/** Options that say how much of a kind is kept. */
const MOST = Object.values(KEPT).flatMap((what) => [
  {
    name: `most-${what}`,
    value: 'N',
    help: `${EVENTS[what]} kept at most; the oldest go first.\nEmbedded journal only. Default: no limit`,
  },
  {
    name: `most-${what}-size`,
    value: 'SIZE',
    help: 'The same by their size, for example 2Gi. Embedded journal only. Default: no limit',
  },
]);

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
  {
    name: 'keep-rejected',
    value: 'TIME',
    help: 'How long it is kept what was refused and why; of each entrance the newest. Default: 7d',
  },
  ...MOST,
  {
    name: 'most-rejected',
    value: 'N',
    help: 'Refusals kept at most, in shares of 50; the longest quiet share goes first. Default: 100000',
  },
  {
    name: 'most-rejected-size',
    value: 'SIZE',
    help: 'The same by their size, in shares of 32Ki. Default: 64Mi',
  },
];

/** The bounds that the options make. Throws UsageError. */
export function boundsOf(parsed: Parsed): Bounds {
  const maxBytes = bytesOf(parsed, 'max-journal');
  const limits = limitsOf(parsed);
  const retention = retentionOf(parsed);
  return {
    maxBacklog: backlogOf(parsed),
    rejected: rejectedOf(parsed),
    journal: {
      ...(maxBytes === undefined ? {} : { maxBytes }),
      retention,
      ...(limits === undefined ? {} : { limits }),
    },
  };
}

function backlogOf(parsed: Parsed): number {
  return countOf(parsed, 'max-backlog', 'deliveries') ?? BACKLOG_BOUNDS.most;
}

function countOf(parsed: Parsed, name: string, what: string): number | undefined {
  const text = parsed.text(name);
  if (text === undefined || /^[1-9]\d{0,11}$/.test(text))
    return text === undefined ? undefined : Number(text);
  throw new UsageError(`--${name} ${text} is no number of ${what}; write one such as 100000.`);
}

function bytesOf(parsed: Parsed, name: string): number | undefined {
  const text = parsed.text(name);
  if (text === undefined) return undefined;
  const bytes = parseQuantity(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UsageError(`--${name} ${text} is no size; write one such as 10Gi.`);
}

/** Undefined where none is given. A database's history is cut by time and whole tables: nobody counts it by kind. */
function limitsOf(parsed: Parsed): HistoryLimits | undefined {
  const limits: Partial<Record<Kept, { events?: number; bytes?: number }>> = {};
  for (const what of Object.values(KEPT)) {
    const events = countOf(parsed, `most-${what}`, 'events');
    const bytes = bytesOf(parsed, `most-${what}-size`);
    if (events === undefined && bytes === undefined) continue;
    limits[what] = { ...(events === undefined ? {} : { events }), ...(bytes === undefined ? {} : { bytes }) };
  }
  const [first] = Object.keys(limits);
  if (first === undefined) return undefined;
  if (parsed.text('journal') === undefined) return limits;
  throw new UsageError(
    `--most-${first} is of the embedded journal; with --journal use --keep-${first} or --max-journal.`,
  );
}

function retentionOf(parsed: Parsed): Readonly<Record<string, number>> {
  const kept: Record<string, number> = {};
  for (const [name, what] of Object.entries(KEPT)) {
    const ms = timeOf(parsed, name);
    if (ms !== undefined) kept[what] = ms;
  }
  return kept;
}

function rejectedOf(parsed: Parsed): RefusalLimits {
  const keepMs = timeOf(parsed, 'keep-rejected');
  const most = countOf(parsed, 'most-rejected', 'refusals');
  const mostBytes = bytesOf(parsed, 'most-rejected-size');
  return {
    ...(keepMs === undefined ? {} : { keepMs }),
    ...(most === undefined ? {} : { most }),
    ...(mostBytes === undefined ? {} : { mostBytes }),
  };
}

function timeOf(parsed: Parsed, name: string): number | undefined {
  const text = parsed.text(name);
  if (text === undefined) return undefined;
  const ms = optionDuration(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`--${name} ${text} is no time; write one such as ${DURATION_EXAMPLES}.`);
}
