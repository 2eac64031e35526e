import type { RowWrite, StateRow } from '../journal/journal.ts';
import type { SavedState } from './job-states.ts';

/** How far a bridge has read, as the journal keeps it. */
export interface Position {
  /** Of which backend (deliver/loop-guard.ts, originOf): another one's places mean nothing. */
  readonly origin: string;
  /** A backend that keeps its events goes on from here. */
  readonly cursor?: string;
  /** Until when nothing was missed, ms since the epoch. */
  readonly until: number;
  /** How far jobs were, for a backend that keeps no events. */
  readonly jobs?: readonly SavedState[];
}

/** The row of a bridge's position: who has its newest version is the one that reads. */
export const POSITION_KIND = 'bridge';

/** A position and the version of its row. */
export interface Place {
  readonly version: number;
  readonly position: Position | undefined;
}

/** Reads a row; a place in another backend counts as none. */
export function placeOf(row: StateRow | undefined, origin: string): Place {
  if (row === undefined) return { version: 0, position: undefined };
  const position = JSON.parse(row.body) as Position;
  return { version: row.version, position: position.origin === origin ? position : undefined };
}

/** Writes the position, if nobody else has since `version` was seen. */
export function writePosition(bridge: string, version: number, position: Position, at: number): RowWrite {
  return {
    kind: POSITION_KIND,
    id: bridge,
    expect: version,
    at,
    owner: bridge,
    status: 'Reading',
    body: JSON.stringify(position),
  };
}

/** Writes nothing, if nobody else has since `version` was seen. */
export function checkPosition(bridge: string, version: number): RowWrite {
  return { kind: POSITION_KIND, id: bridge, expect: version, check: true };
}
