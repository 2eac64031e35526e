import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWithPostgres, type TestDatabase } from '../../../test/postgres/suite.ts';
import type { Journal } from '../journal.ts';
import { commit, unit } from '../journal-testing.ts';
import { parsePostgresAddress } from './address.ts';
import { openPostgresJournal } from './postgres-journal.ts';

const T = 1_800_000_000_000;
const HOLDER = fileURLToPath(new URL('../../../test/postgres/holder.ts', import.meta.url));

describeWithPostgres('many receivers on one PostgreSQL', (postgres) => {
  let database: TestDatabase;
  let journals: Journal[];

  const open = async (): Promise<Journal> => {
    const journal = await openPostgresJournal({ address: parsePostgresAddress(database.url) });
    journals.push(journal);
    return journal;
  };

  beforeEach(async () => {
    database = await postgres.database();
    journals = [];
  });

  afterEach(async () => {
    await Promise.all(journals.map((journal) => journal.close()));
    await database.drop();
  });

  async function pair(): Promise<[Journal, Journal]> {
    return Promise.all([open(), open()]);
  }

  it('makes the schema once, however many start together', async () => {
    await Promise.all(Array.from({ length: 5 }, open));
    const { rows } = await database.query('SELECT version FROM signalbox.version');
    expect(rows).toHaveLength(1);
  });

  it('takes each key once, whoever is asked, in whatever order', async () => {
    const [a, b] = await pair();
    const units = (reverse: boolean) => {
      const all = Array.from({ length: 300 }, (_, i) => unit({ at: T, key: `k${i}`, answer: `${i}` }));
      return reverse ? all.toReversed() : all;
    };
    const told = await Promise.all([
      ...Array.from({ length: 4 }, () => commit(a, units(false))),
      ...Array.from({ length: 4 }, () => commit(b, units(true))),
    ]);
    const outcomes = told.flat().map(({ outcome }) => outcome);
    expect(outcomes.filter((each) => each === 'committed')).toHaveLength(300);
    expect(outcomes.filter((each) => each === 'seen')).toHaveLength(7 * 300);
  });

  it('lets one of many change a row that all of them saw', async () => {
    const both = await pair();
    const row = { kind: 'key', id: 'k', at: T, owner: 'a/x', status: 'Running' };
    for (let version = 0; version < 10; version++) {
      const tries = Array.from({ length: 10 }, (_, i) =>
        commit(both[i % 2]!, [
          { deliveries: [], answer: '', rows: [{ ...row, expect: version, body: `${i}` }] },
        ]),
      );
      const outcomes = (await Promise.all(tries)).flat().map(({ outcome }) => outcome);
      expect(outcomes.filter((each) => each === 'committed')).toHaveLength(1);
    }
    expect((await both[0].rows('key', ['k']))[0]?.version).toBe(10);
  });

  it('gives each delivery to one of those that ask', async () => {
    const [a, b] = await pair();
    await commit(
      a,
      Array.from({ length: 500 }, () => unit({ at: T, triggers: ['a/x'] })),
    );
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, i) => [a, b][i % 2]!.claim(T, 40, 1 << 20)),
    );
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length + (await a.claim(T, 1000, 1 << 20)).length).toBe(500);
  });

  it('gives out one of a line at a time, in order, whoever accepted and whoever asks', async () => {
    const both = await pair();
    for (let i = 0; i < 40; i++) await commit(both[i % 2]!, [unit({ at: T, triggers: ['a/x'], line: 'l' })]);
    const order: number[] = [];
    for (let turn = 0; order.length < 40; turn++) {
      const found = (await Promise.all(both.map((journal) => journal.claim(T, 9, 1 << 20)))).flat();
      expect(found).toHaveLength(1);
      const [{ id } = { id: 0 }] = found;
      order.push(id);
      const attempt = { at: T, durationMs: 1 };
      both[turn % 2]!.settle({ delivery: id, state: 'delivered', attempt });
      // Whoever did not claim it has no say: the one that did settles it.
      await both[turn % 2]!.flush();
      both[(turn + 1) % 2]!.settle({ delivery: id, state: 'delivered', attempt });
      await both[(turn + 1) % 2]!.flush();
    }
    expect(order).toEqual(order.toSorted((x, y) => x - y));
  });

  it('gives a line its next also where the one that delivers has accepted none', async () => {
    const [a, b] = await pair();
    await commit(a, [
      unit({ at: T, triggers: ['a/x'], line: 'l' }),
      unit({ at: T, triggers: ['a/x'], line: 'l' }),
    ]);
    for (let turn = 0; turn < 2; turn++) {
      const claimed = await b.claim(T, 9, 1 << 20);
      expect(claimed).toHaveLength(1);
      for (const { id } of claimed)
        b.settle({ delivery: id, state: 'delivered', attempt: { at: T, durationMs: 1 } });
    }
    await b.flush();
    expect(await a.stats()).toMatchObject({ backlog: 0 });
  });

  it('tells the others of work that anybody may do', async () => {
    const [a, b] = await pair();
    const told = new Promise<void>((resolve) => {
      b.watch(resolve);
    });
    // Listening begins a moment after the opening.
    const ticks = setInterval(() => void commit(a, [unit({ at: T, triggers: ['a/x'] })]), 100);
    await told;
    clearInterval(ticks);
  });

  it('drops a table of history once, while all go on writing', async () => {
    const DAY = 86_400_000;
    const [a, b] = await pair();
    const at = (journal: Journal, when: number, triggers: readonly string[] = []) =>
      commit(
        journal,
        Array.from({ length: 50 }, () => unit({ at: when, triggers })),
      );
    await Promise.all([at(a, T), at(b, T), at(a, T, ['a/x'])]);
    const later = T + 20 * DAY;
    const [first, second] = await Promise.all([a.prune(later), b.prune(later), at(a, later), at(b, later)]);
    // A table that somebody wrote to at this moment goes at the next pruning.
    expect(first + second + (await a.prune(later)) + (await b.prune(later))).toBe(100);
    // What was undone has outlived its table, and its end is told to where it lies now.
    const claimed = await b.claim(later, 100, 1 << 20);
    expect(claimed).toHaveLength(50);
    for (const { id } of claimed)
      b.settle({ delivery: id, state: 'delivered', attempt: { at: later, durationMs: 1 } });
    await b.flush();
    await Promise.all([at(a, later), at(b, later)]);
    expect((await a.events({ limit: 1000 })).items).toHaveLength(250);
    expect((await a.deliveries({ limit: 1000, state: 'delivered' })).items).toHaveLength(50);
    expect(await a.prune(later + DAY)).toBe(50);
    expect(await a.stats()).toMatchObject({ backlog: 0, dead: 0 });
  });

  it('counts once what several have counted', async () => {
    const [a, b] = await pair();
    await commit(a, [unit({ at: T, triggers: ['a/x', 'a/y'] })]);
    await commit(b, [unit({ at: T, triggers: ['a/x'] })]);
    const [first] = await b.claim(T, 1, 1000);
    b.settle({ delivery: first?.id ?? 0, state: 'dead', at: T, reason: 'no' });
    await b.flush();
    expect(await a.stats()).toMatchObject({ backlog: 2, dead: 1 });
    await b.close();
    expect(await a.stats()).toMatchObject({ backlog: 2, dead: 1 });
  });

  describe('that stand still', () => {
    async function holder(count: number) {
      const child = spawn(process.execPath, [HOLDER, database.url, String(count)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const next = async (): Promise<number[]> => JSON.parse(String((await lines.next()).value)) as number[];
      return {
        child,
        held: await next(),
        async ask(line: 'commit' | 'settle') {
          child.stdin.write(`${line}\n`);
          return next();
        },
      };
    }

    const allOf = async (journal: Journal, count: number): Promise<number[]> => {
      const due = new Promise<void>((resolve) => {
        journal.watch(resolve);
      });
      expect(await journal.claim(Date.now(), 100, 1 << 20)).toEqual([]);
      await due;
      const claimed = await journal.claim(Date.now(), 100, 1 << 20);
      expect(claimed).toHaveLength(count);
      return claimed.map(({ id }) => id);
    };

    it('lose what they held to the others when they are killed', async () => {
      const journal = await open();
      const { child, held } = await holder(5);
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      expect((await allOf(journal, 5)).sort((a, b) => a - b)).toEqual(held);
      expect(await journal.stats()).toMatchObject({ backlog: 5 });
    });

    it('wake the others also where they held no delivery: rows may be due', async () => {
      const journal = await open();
      const { child } = await holder(0);
      const woken = new Promise<void>((resolve) => {
        journal.watch(resolve);
      });
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      await woken;
      expect((await database.query('SELECT FROM signalbox.session')).rows).toHaveLength(1);
    });

    it('do no harm when they come back, and go on with what is new', async () => {
      const journal = await open();
      const { child, held, ask } = await holder(3);
      child.kill('SIGSTOP');
      const [first = 0, second = 0, third = 0] = await allOf(journal, 3);
      const attempt = { at: T, durationMs: 1 };
      journal.settle({ delivery: first, state: 'delivered', attempt });
      journal.settle({ delivery: second, state: 'waiting', due: T * 2 });
      await journal.flush();
      child.kill('SIGCONT');
      await ask('settle');
      const states = async () =>
        Object.fromEntries(
          (await journal.deliveries({ limit: 9 })).items.map(({ id, state }) => [id, state]),
        );
      expect(await states()).toEqual({ [first]: 'delivered', [second]: 'waiting', [third]: 'waiting' });
      // The third is this one's: it is not given out again.
      const again = await journal.claim(Date.now(), 9, 1 << 20);
      expect(again.map(({ id }) => id)).toEqual([second]);
      const [fresh = 0] = await ask('commit');
      expect(held).not.toContain(fresh);
      expect(await journal.claim(Date.now(), 9, 1 << 20)).toEqual([]);
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
      expect(await allOf(journal, 1)).toEqual([fresh]);
    });
  });
});
