import type { Unit } from '../journal.ts';
import { bigints, float8s, texts, uuids } from './binary-array.ts';
import { fingerprintOf, type KnownKey, keyText } from './judge.ts';
import { type Queries, send } from './queries.ts';

const INSERT = `INSERT INTO seen (key, fingerprint, expires, answer)
  SELECT * FROM unnest($1::uuid[], $2::int8[], $3::float8[], $4::text[])`;
/** Fails where somebody has one of them. */
const TAKE = { name: 'key-take', text: INSERT };
const CLAIM = { name: 'key-claim', text: `${INSERT} ON CONFLICT (key) DO NOTHING RETURNING key` };
const FIND = {
  name: 'key-find',
  text: 'SELECT key, fingerprint, expires, answer FROM seen WHERE key = ANY($1::uuid[]) ORDER BY key FOR UPDATE',
};
const CHANGE = {
  name: 'key-change',
  text: `UPDATE seen s SET fingerprint = t.fingerprint, expires = t.expires, answer = t.answer
    FROM unnest($1::uuid[], $2::int8[], $3::float8[], $4::text[]) AS t(key, fingerprint, expires, answer) WHERE s.key = t.key`,
};
const FREE = { name: 'key-free', text: 'DELETE FROM seen WHERE key = ANY($1::uuid[])' };

/** The keys of a batch: those that a unit may take, each with the first that would, and those that are only looked up. */
export interface KeysAsked {
  readonly wanted: ReadonlyMap<string, Unit>;
  readonly looked: ReadonlySet<string>;
}

/** What keys a batch asks about. */
export function keysOf(units: readonly Unit[]): KeysAsked {
  const wanted = new Map<string, Unit>();
  const looked = new Set<string>();
  for (const unit of units) {
    if (unit.unseen === undefined) continue;
    const key = keyText(unit.unseen.key);
    if (!unit.unseen.occupy) looked.add(key);
    else if (!wanted.has(key)) wanted.set(key, unit);
  }
  for (const key of wanted.keys()) looked.delete(key);
  return { wanted, looked };
}

/**
 * Takes keys, in the hope that nobody has one: another session that wants one waits for this transaction. In the order of the
 * keys, so that two sessions never wait for each other. Where somebody has one the transaction fails.
 */
export function takeKeys(on: Queries, taken: ReadonlyMap<string, Unit>): void {
  if (taken.size > 0) send(on, { ...TAKE, values: columns(taken) });
}

/** Takes those of the wanted keys that nobody has, in the same order. Answers those that somebody has. */
export async function claimKeys(on: Queries, wanted: KeysAsked['wanted']): Promise<ReadonlySet<string>> {
  if (wanted.size === 0) return new Set();
  const { rows } = await on.query({ ...CLAIM, values: columns(wanted) });
  const claimed = new Set((rows as { key: string }[]).map(nameOf));
  return new Set([...wanted.keys()].filter((key) => !claimed.has(key)));
}

/** What the database holds of these; locked, so that an expired one can be taken. */
export async function findKeys(on: Queries, keys: Iterable<string>): Promise<Map<string, KnownKey>> {
  const bytes = [...keys].map((key) => Buffer.from(key, 'hex'));
  if (bytes.length === 0) return new Map();
  const { rows } = await on.query({ ...FIND, values: [uuids(bytes)] });
  return new Map(
    (rows as { key: string; fingerprint: string; expires: number; answer: string }[]).map((row) => [
      nameOf(row),
      { fingerprint: BigInt(row.fingerprint), expires: row.expires, answer: row.answer },
    ]),
  );
}

function nameOf({ key }: { readonly key: string }): string {
  return key.replaceAll('-', '');
}

/**
 * Makes the keys those of the units that took them after all, and frees what nobody took; `had`: those that were not to be
 * had at first.
 */
export function settleKeys(
  on: Queries,
  { wanted }: KeysAsked,
  had: ReadonlySet<string>,
  taken: ReadonlyMap<string, Unit>,
): void {
  const changed = new Map([...taken].filter(([key, unit]) => had.has(key) || wanted.get(key) !== unit));
  const free = [...wanted.keys()].filter((key) => !had.has(key) && !taken.has(key));
  if (changed.size > 0) send(on, { ...CHANGE, values: columns(changed) });
  if (free.length > 0) send(on, { ...FREE, values: [uuids(free.map((key) => Buffer.from(key, 'hex')))] });
}

function columns(keys: ReadonlyMap<string, Unit>): Buffer[] {
  const units = [...keys].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, unit]) => unit);
  const unseen = units.flatMap((unit) => (unit.unseen === undefined ? [] : [unit.unseen]));
  return [
    uuids(unseen.map(({ key }) => key)),
    bigints(unseen.map(({ fingerprint }) => fingerprintOf(fingerprint))),
    float8s(unseen.map(({ expiresAt }) => expiresAt)),
    texts(units.map(({ answer }) => answer)),
  ];
}
