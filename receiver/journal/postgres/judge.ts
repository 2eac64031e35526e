import type { RowWrite, Unit, UnitOutcome } from '../journal.ts';

/** A dedup key as the database has it, or as an earlier unit of the batch leaves it. */
export interface KnownKey {
  readonly fingerprint: bigint;
  readonly expires: number;
  readonly answer: string;
}

/** A state row as the database has it; what it does not have is left out. */
export interface KnownRow {
  readonly version: number;
  readonly owner: string;
  readonly status: string;
  readonly created: number;
}

/** A state row as the batch leaves it. */
export interface RowAfter {
  readonly version: number;
  readonly created: number;
  readonly write: Extract<RowWrite, { readonly body: string }>;
  /** It was made by this batch, not only changed: it is newer than all before. */
  readonly made: boolean;
}

/** What a batch's units come to. */
export interface Judgement {
  /** Per unit: what it is answered with, or undefined where it is to be written. */
  readonly refused: readonly (UnitOutcome | undefined)[];
  /** Keys that the batch takes, and the unit each is taken by. */
  readonly taken: ReadonlyMap<string, Unit>;
  /** Rows that the batch changes, by `rowName`, in the order of their last making; undefined: removed. */
  readonly rows: ReadonlyMap<string, RowAfter | undefined>;
}

/**
 * Decides, unit after unit, whether what each expects holds, when the database holds `keys` and `rows` (by `keyText` and
 * `rowName`; what it does not hold is left out) and each unit sees what those before it wrote.
 */
export function judge(
  units: readonly Unit[],
  keys: ReadonlyMap<string, KnownKey>,
  stored: ReadonlyMap<string, KnownRow>,
): Judgement {
  const taken = new Map<string, Unit>();
  const rows = new Map<string, RowAfter | undefined>();
  const refused = units.map((unit): UnitOutcome | undefined => {
    const refusal = seen(unit, taken, keys) ?? conflict(unit, rows, stored);
    if (refusal !== undefined) return refusal;
    if (unit.unseen?.occupy === true) taken.set(keyText(unit.unseen.key), unit);
    for (const write of unit.rows ?? []) apply(write, rows, stored);
    return undefined;
  });
  return { refused, taken, rows };
}

function seen(
  { unseen, event }: Unit,
  taken: ReadonlyMap<string, Unit>,
  keys: ReadonlyMap<string, KnownKey>,
): UnitOutcome | undefined {
  if (unseen === undefined || event === undefined) return undefined;
  const key = keyText(unseen.key);
  const earlier = known(taken.get(key)) ?? keys.get(key);
  if (earlier === undefined || earlier.expires <= event.receivedAt) return undefined;
  const differs = earlier.fingerprint !== fingerprintOf(unseen.fingerprint);
  return { outcome: 'seen', answer: earlier.answer, differs };
}

type Rows = Map<string, RowAfter | undefined>;

function versionOf(name: string, rows: Rows, stored: ReadonlyMap<string, KnownRow>): number {
  return (rows.has(name) ? rows.get(name) : stored.get(name))?.version ?? 0;
}

function conflict(unit: Unit, rows: Rows, stored: ReadonlyMap<string, KnownRow>): UnitOutcome | undefined {
  const row = (unit.rows ?? []).findIndex(
    (write) => versionOf(rowName(write), rows, stored) !== write.expect,
  );
  return row < 0 ? undefined : { outcome: 'conflict', row };
}

function apply(write: RowWrite, rows: Rows, stored: ReadonlyMap<string, KnownRow>): void {
  if ('check' in write) return;
  const name = rowName(write);
  if ('remove' in write) {
    rows.set(name, undefined);
    return;
  }
  const version = versionOf(name, rows, stored);
  const earlier = rows.get(name);
  const created = earlier?.created ?? stored.get(name)?.created ?? write.at;
  if (version > 0) {
    rows.set(name, { version: version + 1, created, write, made: earlier?.made ?? false });
    return;
  }
  // Its place is that of its making.
  rows.delete(name);
  rows.set(name, { version: 1, created: write.at, write, made: true });
}

/** A row's name among all kinds. */
export function rowName({ kind, id }: { readonly kind: string; readonly id: string }): string {
  return `${kind}\n${id}`;
}

function known(unit: Unit | undefined): KnownKey | undefined {
  if (unit?.unseen === undefined) return undefined;
  const { fingerprint, expiresAt } = unit.unseen;
  return { fingerprint: fingerprintOf(fingerprint), expires: expiresAt, answer: unit.answer };
}

/** A dedup key as the maps here have it. */
export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex');
}

/** A fingerprint as a number. */
export function fingerprintOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigInt64(0);
}
