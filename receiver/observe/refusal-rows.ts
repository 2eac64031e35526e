import type { RowWrite, StateRow } from '../journal/journal.ts';
import type { RefusalBounds } from './refusal-bounds.ts';
import type { KeptRefusal, RefusalShare } from './refusal-log.ts';
import { newestOf } from './refusal-query.ts';

/** The rows of what was refused: one for each share of each writer. */
export const REFUSAL_KIND = 'refusals';

/** How shares become rows. */
export interface RefusalRowRules extends Pick<RefusalBounds, 'retentionMs' | 'perShare' | 'shareBytes'> {
  /**
   * Whose rows they are. Receivers that share a journal write each its own: on a common row one of them would wait for the
   * others' transactions, and the events of the same transaction with it.
   */
  readonly writer: string;
}

/** The id of a share's row. */
export function refusalRowId({ entrance, proved }: RefusalShare, writer: string): string {
  return `${writer} ${proved ? 'proved' : 'unproved'} ${entrance}`;
}

/** The refusals that a row holds. */
export function refusalsIn(row: StateRow): readonly KeptRefusal[] {
  return JSON.parse(row.body) as readonly KeptRefusal[];
}

/**
 * Writes a share into its row, with what the row has from before. Undefined where nothing is to be kept.
 * It is due when it may be dropped, so that of the rows that are due first those go first that are too many.
 */
export function refusalWrite(
  share: RefusalShare,
  found: StateRow | undefined,
  { writer, perShare, shareBytes, retentionMs }: RefusalRowRules,
  at: number,
): RowWrite | undefined {
  const before = found === undefined ? [] : refusalsIn(found);
  const young = [...before, ...share.refusals].filter((refusal) => refusal.at + retentionMs > at);
  const kept = newestOf(young, perShare);
  const texts = fitting(kept, shareBytes);
  const [newest] = kept;
  if (newest === undefined || texts.length === 0) return undefined;
  const until = newest.at + retentionMs;
  return {
    kind: REFUSAL_KIND,
    id: refusalRowId(share, writer),
    expect: found?.version ?? 0,
    at,
    owner: share.entrance,
    status: share.proved ? 'proved' : 'unproved',
    body: `[${texts.join(',')}]`,
    due: until,
    expiresAt: until,
  };
}

/** The first of them, as JSON, that have so many bytes in all. */
function fitting(refusals: readonly KeptRefusal[], bytes: number): readonly string[] {
  const texts: string[] = [];
  // The brackets; after each of them stands a comma or a bracket.
  let left = bytes - 1;
  for (const refusal of refusals) {
    const text = JSON.stringify(refusal);
    left -= Buffer.byteLength(text) + 1;
    if (left < 0) break;
    texts.push(text);
  }
  return texts;
}
