import { describe, expect, it } from 'vitest';
import type { Entry } from '../routing/table.ts';
import { bridgeEntry, ojsSource, triggerEntry } from '../routing/testing.ts';
import { sagaEntry } from '../streams/journal-harness.ts';
import { stepOf, streamOf } from '../streams/testing.ts';
import { BACKEND, type Disk, openDisk, START } from './testing.ts';
import type { Transport } from './transport.ts';

/*
 * A process that dies between any two steps of a bridge. What is on disk then is what some of its transactions wrote, the
 * first so many of them; whether it got to know of the last ones does not matter to whoever comes after it.
 */

const EVENTS = 2400;
/** More than one transaction takes. */
const PAGE = 1200;

function envelope(i: number): Buffer {
  const id = String(i).padStart(6, '0');
  const type = i % 100 === 0 ? 'job.discarded' : 'job.completed';
  return Buffer.from(
    `{"specversion":"1.0","id":"evt_${id}","type":"${type}","source":"ojs://a","subject":"job-${id}","data":{}}`,
  );
}

function change(i: number): Buffer {
  const at = new Date(START + i).toISOString();
  return Buffer.from(
    `{"event":"job.state_changed","job_id":"job-${i}","type":"a","from":"active","to":"completed","timestamp":"${at}"}`,
  );
}

/** Pages from a cursor on, a number of events. */
const pages: Transport = ({ cursor }, listener) => {
  let at = Number(cursor ?? 0);
  let over = false;
  function page(): void {
    if (over) return;
    const end = Math.min(EVENTS, at + PAGE);
    for (; at < end; at++) listener.message(envelope(at));
    listener.page(String(at), () => undefined);
    if (at < EVENTS) setImmediate(page);
  }
  setImmediate(() => {
    listener.reads({ transport: 'pages', replay: 'cursor' });
    page();
  });
  return { pause: () => undefined, resume: () => undefined, close: () => void (over = true) };
};

/** Changes of state, which nobody tells again. */
const stream: Transport = (_, listener) => {
  let at = 0;
  let over = false;
  function some(): void {
    for (const end = Math.min(EVENTS, at + PAGE); at < end && !over; at++) listener.message(change(at));
    if (at < EVENTS && !over) setImmediate(some);
  }
  setImmediate(() => {
    listener.reads({ transport: 'stream', replay: 'none' });
    some();
  });
  return { pause: () => undefined, resume: () => undefined, close: () => void (over = true) };
};

const PLAIN: readonly Entry[] = [
  bridgeEntry(BACKEND, { source: ojsSource(BACKEND, { enrich: false }) }),
  triggerEntry({ namespace: 'jobs', name: 'all', from: { webhookSecrets: [], eventBridges: ['results'] } }),
];
/** Beside it, every hundredth event starts an instance. */
const STARTING: readonly Entry[] = [
  ...PLAIN,
  sagaEntry(streamOf([stepOf('first')]), {
    namespace: 'jobs',
    from: { webhookSecrets: [], eventBridges: ['results'] },
    filters: [{ exact: { type: 'org.openjobspec.job.discarded' } }],
  }),
];

const ALL = Array.from({ length: EVENTS }, (_, i) => `evt_${String(i).padStart(6, '0')}`);
const EVERY_HUNDREDTH = EVENTS / 100;

/** How many commits a whole run makes. */
async function commitsOf(transport: Transport, entries: readonly Entry[]): Promise<number> {
  await using disk = await openDisk();
  const cable = disk.whole();
  const { reader, wrote } = await disk.start(cable, transport, entries);
  await wrote(EVENTS);
  reader.stop();
  return cable.commits;
}

/** Each place where it may be cut; of every other one it heard nothing of the last commits. */
function cutsOf(commits: number): readonly (readonly [at: number, deaf: number])[] {
  return Array.from({ length: commits + 1 }, (_, at) => [at, Math.min(at, (at % 2) * 2)] as const);
}

/** What the position on disk says is on disk, whoever was cut off and whenever. */
async function expectNothingSkipped(disk: Disk): Promise<void> {
  // First, for its reader may be going on.
  const { cursor = '0', jobs = [] } = (await disk.position()) ?? {};
  const events = await disk.events();
  const [ids, told] = [new Set(events.map(({ id }) => id)), new Set(events.map(({ subject }) => subject))];
  expect(ALL.slice(0, Number(cursor)).filter((id) => !ids.has(id))).toEqual([]);
  expect(jobs.filter(([job]) => !told.has(job))).toEqual([]);
}

describe('a bridge whose process is cut off', () => {
  it.each([
    ['no instances', PLAIN, 0],
    ['instances', STARTING, EVERY_HUNDREDTH],
  ] as const)(
    'reads every event of a backend that keeps them once, with %s',
    async (_, entries, instances) => {
      const commits = await commitsOf(pages, entries);
      for (const [at, deaf] of cutsOf(commits)) {
        await using disk = await openDisk();
        const cut = disk.cut(at, deaf);
        const first = await disk.start(cut, pages, entries);
        await (at === commits && deaf === 0 ? first.wrote(EVENTS) : cut.isCut);
        first.reader.stop();
        await expectNothingSkipped(disk);
        const cursor = Number((await disk.position())?.cursor ?? 0);
        const second = await disk.start(disk.whole(), pages, entries);
        await second.wrote(EVENTS - cursor);
        second.reader.stop();
        expect((await disk.events()).map(({ id }) => id).toSorted()).toEqual(ALL);
        expect(await disk.instances()).toBe(instances);
        expect((await disk.position())?.cursor).toBe(String(EVENTS));
      }
    },
  );

  it('never calls a job told whose event is not in the journal', async () => {
    const commits = await commitsOf(stream, PLAIN);
    for (const [at, deaf] of cutsOf(commits - 1)) {
      await using disk = await openDisk();
      const cut = disk.cut(at, deaf);
      const { reader } = await disk.start(cut, stream, PLAIN);
      await cut.isCut;
      reader.stop();
      await expectNothingSkipped(disk);
    }
  });
});

describe('a bridge whose journal fails for a while', () => {
  it.each([
    ['pages', pages, PLAIN],
    ['pages, with instances', pages, STARTING],
    ['a stream', stream, PLAIN],
  ] as const)('writes in order what it could not, once: %s', async (_, transport, entries) => {
    const commits = await commitsOf(transport, entries);
    for (let from = 0; from < commits; from++) {
      await using disk = await openDisk();
      const { reader, wrote, failed } = await disk.start(disk.failing(from, from + 1), transport, entries);
      await Promise.race([failed, wrote(EVENTS)]);
      await expectNothingSkipped(disk);
      await wrote(EVENTS);
      reader.stop();
      const ids = (await disk.events()).map(({ id }) => id);
      expect(ids).toHaveLength(EVENTS);
      expect(new Set(ids).size).toBe(EVENTS);
      if (transport === pages) expect((await disk.position())?.cursor).toBe(String(EVENTS));
    }
  });
});

it('begins another transaction before it hears of the last, and a few at most', async () => {
  await using disk = await openDisk();
  const silent = disk.cut(1000, 1000);
  const { reader } = await disk.start(silent, stream, PLAIN);
  while (silent.commits < 2) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  reader.stop();
  expect(silent.commits).toBeLessThanOrEqual(4);
});
