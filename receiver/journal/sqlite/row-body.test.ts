import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RowWrite } from '../journal.ts';
import { commit } from '../journal-testing.ts';
import { openRowStage, type RowStage } from './row-testing.ts';

const T = 1_800_000_000_000;
const SHORT = '"ä"';
/** More than a row keeps of its own, and fewer characters than it keeps bytes. */
const LONG = JSON.stringify('ä'.repeat(1200));

let stage: RowStage;

beforeEach(async () => {
  stage = await openRowStage();
});

afterEach(() => stage.close());

function put(id: string, expect: number, body: string, more: object = {}): RowWrite {
  return { kind: 'k', id, expect, at: T, owner: 'a/x', status: 's', body, ...more };
}

const write = (...rows: RowWrite[]): Promise<void> => stage.write(...rows);

/** How many bodies lie apart, and what a check of the whole file finds. */
async function apart(): Promise<{ bodies: number; findings: readonly unknown[] }> {
  const { found, findings } = await stage.look(
    (db) => db.prepare('SELECT count(*) AS bodies FROM body').get() as { bodies: number },
  );
  return { bodies: found.bodies, findings };
}

it('a row is read as it was written, however long it was before', async () => {
  await write(put('grows', 0, SHORT, { due: T }), put('shrinks', 0, LONG, { due: T }));
  await write(put('grows', 1, LONG, { due: T + 1 }), put('shrinks', 1, SHORT, { due: T + 2 }));
  await write(put('grows', 2, `${LONG} `, { due: T + 1 }), put('empty', 0, ''));
  const bodies = [
    ['grows', `${LONG} `],
    ['shrinks', SHORT],
  ];
  const shown = (rows: readonly ({ id: string; body: string } | undefined)[]) =>
    rows.map((row) => [row?.id, row?.body]);
  expect(shown(await stage.journal.rows('k', ['grows', 'shrinks']))).toEqual(bodies);
  expect(shown(await stage.journal.dueRows('k', T + 9, 9))).toEqual(bodies);
  const { items } = await stage.journal.listRows({ kind: 'k', limit: 9 });
  expect(shown(items)).toEqual([['empty', ''], ...bodies.toReversed()]);
  expect(await apart()).toEqual({ bodies: 1, findings: [] });
});

it('a first body lies in its row, and there a later one only as far as it has room', async () => {
  const first = JSON.stringify('ä'.repeat(300));
  await write(put('row', 0, first));
  expect(await apart()).toEqual({ bodies: 0, findings: [] });
  await write(put('row', 1, first.replace('ä', 'x')));
  expect(await apart()).toEqual({ bodies: 0, findings: [] });
  await write(put('row', 2, first));
  expect(await apart()).toEqual({ bodies: 1, findings: [] });
  expect(await stage.journal.rows('k', ['row'])).toMatchObject([{ body: first }]);
  await write(put('row', 3, SHORT));
  expect(await apart()).toEqual({ bodies: 0, findings: [] });
  expect(await stage.journal.rows('k', ['row'])).toMatchObject([{ body: SHORT }]);
});

it('what a row had apart goes with it, removed or expired', async () => {
  const expiresAt = T + 1;
  await write(put('removed', 0, LONG), put('expired', 0, LONG, { expiresAt }), put('kept', 0, LONG));
  await write({ kind: 'k', id: 'removed', expect: 1, remove: true });
  await stage.journal.prune(T + 1);
  expect(await apart()).toEqual({ bodies: 1, findings: [] });
});

it('a row that was refused leaves nothing behind', async () => {
  await write(put('i', 0, LONG));
  const unit = { deliveries: [], answer: '', rows: [put('new', 0, LONG), put('i', 7, LONG)] };
  expect(await commit(stage.journal, [unit])).toMatchObject([{ outcome: 'conflict' }]);
  expect(await apart()).toEqual({ bodies: 1, findings: [] });
});
