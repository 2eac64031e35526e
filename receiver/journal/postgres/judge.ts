import type { Unit, UnitOutcome } from '../journal.ts';

/** A dedup key as the database has it, or as an earlier unit of the batch leaves it. */
export interface KnownKey {
  readonly fingerprint: bigint;
  readonly expires: number;
  readonly answer: string;
}

/** What a batch's units come to. */
export interface Judgement {
  /** Per unit: what it is answered with, or undefined where it is to be written. */
  readonly refused: readonly (UnitOutcome | undefined)[];
  /** Keys that the batch takes, and the unit each is taken by. */
  readonly taken: ReadonlyMap<string, Unit>;
}

/**
 * Decides, unit after unit, whether what each expects holds, when the database holds `keys` (by `keyText`; what it does not
 * hold is left out) and each unit sees what those before it wrote.
 */
export function judge(units: readonly Unit[], keys: ReadonlyMap<string, KnownKey>): Judgement {
  const taken = new Map<string, Unit>();
  const refused = units.map((unit): UnitOutcome | undefined => {
    const { unseen } = unit;
    if (unseen === undefined) return undefined;
    const key = keyText(unseen.key);
    const earlier = known(taken.get(key)) ?? keys.get(key);
    if (earlier !== undefined && earlier.expires > unit.event.receivedAt) {
      return {
        outcome: 'seen',
        answer: earlier.answer,
        differs: earlier.fingerprint !== fingerprintOf(unseen.fingerprint),
      };
    }
    if (unseen.occupy) taken.set(key, unit);
    return undefined;
  });
  return { refused, taken };
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
