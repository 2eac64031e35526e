import { expect, it } from 'vitest';
import type { StateRow } from '../journal/journal.ts';
import { createRowLoader } from './row-loader.ts';

function rowOf(kind: string, id: string): StateRow {
  return { kind, id, version: 1, owner: 'a/x', status: 's', body: '', createdAt: 0, changedAt: 0 };
}

/** A journal that has every row but the missing one, and the questions that it was asked. */
function journal() {
  const asked: [string, readonly string[]][] = [];
  return {
    asked,
    rows(kind: string, ids: readonly string[]): Promise<(StateRow | undefined)[]> {
      asked.push([kind, ids]);
      if (kind === 'broken') return Promise.reject(new Error('gone'));
      return Promise.resolve(ids.map((id) => (id === 'missing' ? undefined : rowOf(kind, id))));
    },
  };
}

it('asks once for what is wanted together, and gives each its own', async () => {
  const subject = journal();
  const load = createRowLoader(subject);
  const ids = ['a', 'missing', 'b', 'a'];
  const rows = await Promise.all([...ids.map((id) => load('k', id)), load('other', 'a')]);
  expect(rows.map((row) => row && [row.kind, row.id])).toEqual([
    ['k', 'a'],
    undefined,
    ['k', 'b'],
    ['k', 'a'],
    ['other', 'a'],
  ]);
  expect(subject.asked).toEqual([
    ['k', ids],
    ['other', ['a']],
  ]);
  expect((await load('k', 'later'))?.id).toBe('later');
});

it('asks for many in questions of a bounded size', async () => {
  const subject = journal();
  const load = createRowLoader(subject);
  const ids = Array.from({ length: 70 }, (_, i) => `${i}`);
  const rows = await Promise.all(ids.map((id) => load('k', id)));
  expect(rows.map((row) => row?.id)).toEqual(ids);
  expect(subject.asked.map(([, some]) => some.length)).toEqual([32, 32, 6]);
});

it('fails all whose question failed, and no other', async () => {
  const load = createRowLoader(journal());
  const told = await Promise.allSettled([load('broken', 'a'), load('broken', 'b'), load('k', 'a')]);
  expect(told.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});
