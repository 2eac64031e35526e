import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeWithPostgres } from '../../test/postgres/suite.ts';
import { type Journal, JournalError } from '../journal/journal.ts';
import { openJournal } from '../journal/open-journal.ts';
import type { Refusal } from './refusal.ts';
import { refusalBounds } from './refusal-bounds.ts';
import { createRefusalLog, type KeptRefusal } from './refusal-log.ts';
import type { RefusalQuery } from './refusal-query.ts';
import { REFUSAL_KIND } from './refusal-rows.ts';
import { createRefusalStore, type RefusalStore } from './refusal-store.ts';
import { refusal } from './refusal-testing.ts';

const T = 1_800_000_000_000;
const DAY = 86_400_000;
const quiet = { warn: () => undefined, error: () => undefined };

/** A receiver's record of refusals, and what it did with its journal. */
interface Desk extends RefusalStore {
  add(...some: Partial<Refusal>[]): void;
  all(query?: Partial<RefusalQuery>): Promise<readonly KeptRefusal[]>;
  /** Units of each commit. */
  readonly commits: readonly number[];
  readonly warned: readonly string[];
}

interface Place {
  open(): Promise<Journal>;
  remove(): Promise<void>;
}

function storeSuite(makePlace: () => Promise<Place>): void {
  let place: Place;
  let journal: Journal;
  let clock: number;
  /** While it is set, whatever the journal is asked fails with it. */
  let away: JournalError | undefined;
  let receivers = 0;

  beforeEach(async () => {
    place = await makePlace();
    journal = await place.open();
    clock = T;
    away = undefined;
  });

  afterEach(async () => {
    await journal.close();
    await place.remove();
  });

  function open({ writer = 'own', most = 50, mostRows = 1000 } = {}): Desk {
    const commits: number[] = [];
    const warned: string[] = [];
    const bounds = { ...refusalBounds(), perShare: most };
    const refusals = createRefusalLog(bounds, String(++receivers).padStart(8, '0'));
    const asked = <T>(question: () => Promise<T>): Promise<T> =>
      away === undefined ? question() : Promise.reject(away);
    const store = createRefusalStore({
      journal: {
        commit(units, done) {
          commits.push(units.length);
          if (away === undefined) journal.commit(units, done);
          else done(away, []);
        },
        rows: (...args) => asked(() => journal.rows(...args)),
        dueRows: (...args) => asked(() => journal.dueRows(...args)),
        listRows: (...args) => asked(() => journal.listRows(...args)),
        countRows: (...args) => asked(() => journal.countRows(...args)),
      },
      refusals,
      rules: { ...bounds, writer },
      mostRows,
      now: () => clock,
      log: { warn: (_fields: unknown, message?: string) => void warned.push(message ?? '') },
    });
    return {
      ...store,
      commits,
      warned,
      add(...some) {
        for (const each of some) refusals.add(refusal({ at: clock, ...each }));
      },
      all: async (query = {}) => (await store.list({ limit: 1000, ...query })).items,
    };
  }

  const rows = async () => (await journal.listRows({ kind: REFUSAL_KIND, limit: 1000 })).items;
  const causes = (items: readonly KeptRefusal[]): string[] => items.map(({ cause }) => cause);

  it('has after a restart what was refused before, and goes on', async () => {
    const first = open({ most: 3 });
    first.add({ cause: 'a' }, { cause: 'b', key: 'current', event: 'evt-1' }, { entrance: '', cause: 'c' });
    const before = await first.all();
    await first.close();
    await journal.close();
    journal = await place.open();
    const second = open({ most: 3 });
    expect(await second.all()).toEqual(before);
    clock += 1000;
    second.add({ cause: 'd' }, { cause: 'e' }, { cause: 'f' }, { cause: 'g' });
    await second.write();
    expect(causes(await open().all())).toEqual(['g', 'f', 'e', 'c', 'b']);
    expect(await rows()).toHaveLength(3);
  });

  it('writes a flood in a bounded number of writes, and nothing where nothing was refused', async () => {
    const desk = open();
    for (let i = 0; i < 40_000; i++) desk.add({ entrance: `WebhookSecret/shop/e${i % 40}`, cause: `n${i}` });
    expect(desk.commits).toEqual([]);
    for (let i = 0; i < 5; i++) await desk.write();
    expect(desk.commits).toEqual([16, 16, 8]);
    for (let i = 0; i < 10_000; i++) desk.add({ cause: `m${i}` });
    await desk.close();
    expect(desk.commits).toEqual([16, 16, 8, 1]);
    expect(await rows()).toHaveLength(41);
    expect(await open().all({ entrance: 'WebhookSecret/shop/hooks' })).toHaveLength(50);
  });

  it('tries again what could not be written, and tells of it once', async () => {
    const desk = open();
    desk.add({ cause: 'first' }, { entrance: 'other', cause: 'second' });
    away = new JournalError('JournalFull', 'full');
    await desk.write();
    await desk.write();
    await desk.close();
    desk.add({ cause: 'third' });
    expect(desk.warned).toHaveLength(1);
    away = undefined;
    await desk.write();
    expect(causes(await open().all())).toEqual(['third', 'second', 'first']);
  });

  it('writes over what a commit has left that was in doubt', async () => {
    const desk = open();
    desk.add({ cause: 'a' });
    await desk.write();
    // Another writer of the same row, as the receiver itself is after a commit that it did not hear of.
    const same = open();
    same.add({ cause: 'b' });
    desk.add({ cause: 'c' });
    await Promise.all([desk.close(), same.close()]);
    expect(causes(await open().all())).toEqual(expect.arrayContaining(['a', 'b', 'c']));
    expect(await rows()).toHaveLength(1);
  });

  it('lists what other receivers of the journal refused, newest first, page by page', async () => {
    const [one, two] = [open({ writer: 'one' }), open({ writer: 'two' })];
    const expected: string[] = [];
    for (let i = 0; i < 30; i++) {
      clock += 1;
      (i % 3 === 0 ? one : two).add({ cause: `n${i}`, entrance: `e${i % 4}` });
      expected.unshift(`n${i}`);
    }
    await one.write();
    await two.write();
    clock += 1;
    // Not written yet: only its own receiver knows of it.
    one.add({ cause: 'newest' });
    expect(causes(await two.all())).toEqual(expected);
    const shown: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      // Whichever of them a load balancer leads to.
      const asked = pages++ % 2 === 0 ? one : two;
      const page = await asked.list({ limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      shown.push(...causes(page.items));
      cursor = page.next;
    } while (cursor !== undefined);
    expect(shown).toEqual(['newest', ...expected]);
  });

  it('narrows by what is asked for', async () => {
    const desk = open();
    for (let at = 1; at <= 5; at++)
      desk.add({ at: T + at, event: `evt-${at}`, code: at > 3 ? 'b' : 'a', entrance: at > 4 ? 'e' : 'd' });
    await desk.close();
    const asked = async (query: Partial<RefusalQuery>) => (await open().all(query)).map(({ at }) => at - T);
    expect(await asked({ code: 'b', until: T + 4 })).toEqual([4]);
    expect(await asked({ id: 'evt-2' })).toEqual([2]);
    expect(await asked({ entrance: 'e' })).toEqual([5]);
    expect(await asked({ entrance: 'elsewhere' })).toEqual([]);
    expect(await asked({ since: T + 4 })).toEqual([5, 4]);
  });

  it('forgets what has passed its retention, in lists at once and in the journal when that is pruned', async () => {
    const desk = open();
    desk.add({ cause: 'old', entrance: 'quiet' }, { cause: 'old' });
    await desk.write();
    clock += 6 * DAY;
    desk.add({ cause: 'new' });
    await desk.write();
    expect(causes(await desk.all())).toEqual(['new', 'old', 'old']);
    clock += DAY;
    expect(causes(await desk.all())).toEqual(['new']);
    expect(causes(await open().all())).toEqual(['new']);
    await journal.prune(clock);
    desk.add({ cause: 'newer' });
    await desk.write();
    const [left, ...others] = await rows();
    expect(others).toEqual([]);
    expect((JSON.parse(left?.body ?? '') as KeptRefusal[]).map(({ cause }) => cause)).toEqual([
      'newer',
      'new',
    ]);
    clock += 7 * DAY;
    await journal.prune(clock);
    expect(await rows()).toEqual([]);
    expect(await journal.countRows(REFUSAL_KIND)).toEqual([]);
  });

  it('has no more rows than it may, and drops the one that was quiet for the longest time', async () => {
    const desk = open({ mostRows: 3 });
    for (const entrance of ['a', 'b', 'c', 'a', 'd']) {
      clock += 1;
      desk.add({ entrance });
      await desk.write();
    }
    expect((await rows()).map(({ owner }) => owner).sort()).toEqual(['a', 'c', 'd']);
  });

  it('drops what is too many after a start with less room, though nothing is refused', async () => {
    const before = open();
    for (let i = 0; i < 50; i++) before.add({ entrance: `e${i}`, at: T + i });
    await before.close();
    const less = open({ mostRows: 10 });
    await less.write();
    expect(await rows()).toHaveLength(18);
    await less.write();
    expect((await rows()).map(({ owner }) => owner).sort()).toEqual(
      Array.from({ length: 10 }, (_, i) => `e${i + 40}`),
    );
    expect(less.commits).toEqual([32, 8]);
    await less.write();
    expect(less.commits).toHaveLength(2);
  });

  it('keeps a share within its bytes, however long causes are: the newest of them', async () => {
    const desk = open();
    for (let i = 0; i < 50; i++) desk.add({ at: T + i, cause: 'ä'.repeat(500), event: '\u0000'.repeat(200) });
    await desk.write();
    const [row] = await rows();
    expect(Buffer.byteLength(row?.body ?? '')).toBeLessThanOrEqual(refusalBounds().shareBytes);
    expect((await open().all()).map(({ at }) => at - T)).toEqual(
      Array.from({ length: 13 }, (_, i) => 49 - i),
    );
  });

  it('lists what it has itself while the journal cannot be read', async () => {
    const desk = open({ writer: 'one' });
    desk.add({ cause: 'mine' });
    away = new JournalError('JournalUnavailable', 'away');
    expect(causes(await desk.all())).toEqual(['mine']);
  });
}

describe('what was refused, in the embedded journal', () => {
  storeSuite(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-refusals-'));
    return {
      open: () => openJournal({ directory, log: quiet }),
      remove: () => rm(directory, { recursive: true }),
    };
  });
});

describeWithPostgres('what was refused, in PostgreSQL', (postgres) => {
  storeSuite(async () => {
    const database = await postgres.database();
    return {
      open: () => openJournal({ url: database.url, directory: '/nowhere', log: quiet }),
      remove: database.drop,
    };
  });
});
