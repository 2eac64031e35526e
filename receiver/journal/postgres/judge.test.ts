import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RowWrite } from '../journal.ts';
import { createModel } from '../journal-model.ts';
import { unit } from '../journal-testing.ts';
import { fingerprintOf, judge, type KnownKey, type KnownRow, keyText } from './judge.ts';

const T = 1_800_000_000_000;

const drawn = fc.record({
  key: fc.option(fc.nat(4).map(String), { nil: undefined }),
  fingerprint: fc.constantFrom('one', 'two'),
  occupy: fc.boolean(),
  late: fc.boolean(),
  rows: fc.uniqueArray(
    fc.record({
      id: fc.nat(2).map(String),
      expect: fc.nat(2),
      what: fc.constantFrom('write', 'remove', 'check'),
    }),
    { maxLength: 3, selector: ({ id }) => id },
  ),
});
type Drawn = typeof drawn extends fc.Arbitrary<infer T> ? T : never;

function unitOf({ rows, late, key, ...rest }: Drawn, i: number) {
  const at = late ? T + 10 : T;
  const writes = rows.map(({ id, expect: expected, what }): RowWrite => {
    const row = { kind: 'key', id, expect: expected };
    if (what === 'remove') return { ...row, remove: true };
    if (what === 'check') return { ...row, check: true };
    return { ...row, at, owner: 'a/x', status: 'Running', body: String(i) };
  });
  return unit({
    ...rest,
    ...(key === undefined ? {} : { key }),
    at,
    window: 5,
    answer: `${i}`,
    rows: writes,
  });
}

describe('judging the units of a batch', () => {
  it('comes to what carrying them out one by one comes to', () => {
    fc.assert(
      fc.property(fc.array(drawn, { maxLength: 12 }), fc.nat(12), (all, split) => {
        const model = createModel();
        const units = all.map(unitOf);
        const keys = new Map<string, KnownKey>();
        const rows = new Map<string, KnownRow>();
        const told = units.map((each, i) =>
          model.carryOut(each, { outcome: 'committed', event: i, deliveries: [] }),
        );
        // Two batches: the second finds what the first has left.
        for (const [from, to] of [
          [0, split],
          [split, units.length],
        ] as const) {
          const judged = judge(units.slice(from, to), keys, rows);
          expect(judged.refused.map((each) => each ?? 'committed')).toEqual(told.slice(from, to));
          for (const [key, { unseen, answer }] of judged.taken) {
            if (unseen === undefined) continue;
            expect(keyText(unseen.key)).toBe(key);
            keys.set(key, {
              fingerprint: fingerprintOf(unseen.fingerprint),
              expires: unseen.expiresAt,
              answer,
            });
          }
          for (const [name, after] of judged.rows) {
            if (after === undefined) rows.delete(name);
            else rows.set(name, { version: after.version, owner: '', status: '', created: after.created });
          }
        }
        for (const row of model.rows('key'))
          expect(rows.get(`key\n${row.id}`)).toMatchObject({ version: row.version, created: row.createdAt });
        expect(rows.size).toBe(model.rows('key').length);
      }),
    );
  });
});
