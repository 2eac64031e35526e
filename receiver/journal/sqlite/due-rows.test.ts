import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RowWrite } from '../journal.ts';
import { type DuePlace, placeDue } from './due-rows.ts';
import { openRowStage, type RowStage } from './row-testing.ts';

const T = 1_800_000_000_000;
const HOUR = 3_600_000;

let stage: RowStage;

beforeEach(async () => {
  stage = await openRowStage();
});

afterEach(() => stage.close());

function put(id: string, expect: number, due?: number): RowWrite {
  return { kind: 'k', id, expect, at: T, owner: 'a/x', status: 's', body: '', due };
}

const write = (...rows: RowWrite[]): Promise<void> => stage.write(...rows);

async function due(now: number, limit = 9): Promise<string[]> {
  return (await stage.journal.dueRows('k', now, limit)).map(({ id }) => id);
}

/** Where the rows' entries in the index are, and what a check of the whole file finds. */
async function entries(): Promise<{ due: (number | null)[]; findings: readonly unknown[] }> {
  const { found, findings } = await stage.look(
    (db) => db.prepare('SELECT due FROM row ORDER BY key').all() as { due: number | null }[],
  );
  return { due: found.map((row) => row.due), findings };
}

it('a row that is due later, or not at all, keeps its entry until its time is near', async () => {
  await write(put('later', 0, T + HOUR), put('never', 0, T + HOUR), put('sooner', 0, T + HOUR));
  await write(put('near', 0, T + 5), put('later', 1, T + 2 * HOUR), put('never', 1), put('sooner', 1, T + 5));
  await write(put('near', 1));
  const shown = await stage.journal.rows('k', ['later', 'never', 'sooner']);
  expect(shown.map((row) => row?.due)).toEqual([T + 2 * HOUR, undefined, T + 5]);
  expect(await due(T + 5)).toEqual(['sooner']);
  expect(await entries()).toEqual({ due: [T + HOUR, null, T + HOUR, T + 5], findings: [] });
  expect(await due(T + HOUR)).toEqual(['sooner']);
  expect(await entries()).toEqual({ due: [T + 2 * HOUR, null, null, T + 5], findings: [] });
  expect(await due(T + 2 * HOUR)).toEqual(['sooner', 'later']);
});

it('a row that was due later is due sooner again, and after its removal not at all', async () => {
  await write(put('a', 0, T + HOUR), put('b', 0, T + HOUR));
  await write(put('a', 1, T + 3 * HOUR), put('b', 1));
  await write(put('a', 2, T + 2 * HOUR), put('b', 2, T + HOUR));
  expect(await due(T + 2 * HOUR - 1)).toEqual(['b']);
  await write({ kind: 'k', id: 'b', expect: 3, remove: true });
  expect(await due(T + 2 * HOUR)).toEqual(['a']);
});

it('nobody is told of a time after the earliest, however many entries are left behind', async () => {
  const ids = Array.from({ length: 700 }, (_, i) => `i${String(i).padStart(3, '0')}`);
  await write(...ids.map((id, i) => put(id, 0, T + HOUR + i)));
  // All but the last wait no longer.
  await write(...ids.slice(0, -1).map((id) => put(id, 1)));
  expect(await stage.journal.nextRowDue('k')).toBe(T + HOUR);
  expect(await due(T + HOUR)).toEqual([]);
  expect(await stage.journal.nextRowDue('k')).toBe(T + HOUR + 699);
  expect(await due(T + HOUR + 699)).toEqual(['i699']);
});

it('where entries cannot be moved the rows are due all the same', async () => {
  await write(put('a', 0, T + HOUR), put('b', 0, T + HOUR));
  await write(put('a', 1, T + HOUR + 1), put('b', 1));
  // As a full disk does: no row can be changed.
  await stage.look((db) =>
    db.exec("CREATE TRIGGER full BEFORE UPDATE ON row BEGIN SELECT raise(ABORT, 'disk full'); END"),
  );
  expect(await due(T + HOUR)).toEqual([]);
  expect(await due(T + HOUR + 1)).toEqual(['a']);
});

it('a row is due when it was last said to be, whatever was said before, and never before its entry', () => {
  const time = fc.option(fc.integer({ min: 0, max: 5 }).map((n) => n * 8000));
  fc.assert(
    fc.property(fc.array(time, { minLength: 1 }), (times) => {
      const [first = null, ...more] = times;
      const { due: at, later } = more.reduce<DuePlace>((place, next) => placeDue(place, next, 0), {
        due: first,
        later: null,
      });
      const said = times.at(-1) ?? null;
      expect(later === null ? at : later === 0 ? null : later).toBe(said);
      if (said !== null) expect(at).toBeLessThanOrEqual(said);
    }),
  );
});
