import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chosenJournal } from '../../test/postgres/chosen-journal.ts';
import type { DeliveryEngine } from '../deliver/engine-contract.ts';
import { originOf } from '../deliver/loop-guard.ts';
import { createMemoryLog } from '../deliver/testing.ts';
import { type Journal, JournalError } from '../journal/journal.ts';
import { openJournal } from '../journal/open-journal.ts';
import type { Observer } from '../observe/observer.ts';
import { createRenderers } from '../routing/renderers.ts';
import { buildRuntime } from '../routing/runtime.ts';
import type { Entry } from '../routing/table.ts';
import { createStreams } from '../streams/streams.ts';
import { createBridgeEntrance } from './entrance.ts';
import { POSITION_KIND, type Position, placeOf } from './position.ts';
import { createReader, type Reader } from './reader.ts';
import type { Transport } from './transport.ts';

/* A journal on a disk, and processes that read one bridge into it until they are cut off. For tests. */

/** The backend of `bridgeEntry`'s bridge, which nobody asks. */
export const BACKEND = 'http://ojs.jobs.svc:8080';
const BRIDGE = 'jobs/results';
/** When the clock of every process begins. */
export const START = Date.parse('2026-02-15T10:30:00Z');
/** It runs, so that the position of a stream is written now and then. */
const TICK_MS = 0.4;

/** What a process uses of its journal. */
export interface Cable extends Pick<Journal, 'commit' | 'rows' | 'deliveries' | 'listRows' | 'countRows'> {
  readonly commits: number;
}

/** One process that reads. */
export interface Process {
  readonly reader: Reader;
  readonly isLost: boolean;
  /** Resolves when a transaction has failed, and what was under way beside it has ended. */
  readonly failed: Promise<void>;
  /** Resolves once so many events are written, or were before. */
  wrote(events: number): Promise<void>;
}

/** A journal, and what is on its disk. */
export interface Disk extends AsyncDisposable {
  /** A cable that is whole. */
  whole(): Cable;
  /**
   * What comes from commit number `at` on never reaches the disk, and `deaf` commits before it are not told any more that
   * they did. Resolves `cut` when that has come about.
   */
  cut(at: number, deaf: number): Cable & { readonly isCut: Promise<void> };
  /** Commits number `from` up to `to` fail. */
  failing(from: number, to: number): Cable;
  start(on: Cable, transport: Transport, entries: readonly Entry[]): Promise<Process>;
  /** The bridge's events, oldest first. */
  events(): Promise<readonly { readonly id: string; readonly subject?: string }[]>;
  instances(): Promise<number>;
  position(): Promise<Position | undefined>;
}

/** Opens an empty one. */
export async function openDisk(): Promise<Disk> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bridge-'));
  const chosen = await chosenJournal();
  const journal = await openJournal({ ...chosen.journal, directory, log: createMemoryLog() });

  function cable(commit: (mine: number, ...asked: Parameters<Journal['commit']>) => void): Cable {
    let commits = 0;
    return {
      get commits() {
        return commits;
      },
      commit: (...asked) => commit(commits++, ...asked),
      rows: (...asked) => journal.rows(...asked),
      deliveries: (...asked) => journal.deliveries(...asked),
      listRows: (...asked) => journal.listRows(...asked),
      countRows: (...asked) => journal.countRows(...asked),
    };
  }

  /** In its turn, as an engine answers. */
  async function failLate(done: Parameters<Journal['commit']>[1]): Promise<void> {
    await journal.flush();
    done(new JournalError('JournalUnavailable', 'away'), []);
  }

  async function position(): Promise<Position | undefined> {
    const [row] = await journal.rows(POSITION_KIND, [BRIDGE]);
    return placeOf(row, originOf(BACKEND)).position;
  }

  return {
    whole: () => cable((_, units, done) => journal.commit(units, done)),
    cut(at, deaf) {
      const { promise: isCut, resolve } = Promise.withResolvers<void>();
      const cut = cable((mine, units, done) => {
        if (mine >= at - deaf) resolve();
        if (mine < at) journal.commit(units, (...outcome) => void (mine < at - deaf && done(...outcome)));
      });
      return Object.assign(cut, { isCut });
    },
    failing: (from, to) =>
      cable((mine, units, done) => {
        if (mine < from || mine >= to) journal.commit(units, done);
        else void failLate(done);
      }),
    async start(on, transport, entries) {
      const [row] = await journal.rows(POSITION_KIND, [BRIDGE]);
      return startProcess(
        on,
        createRenderers(journal, 10),
        transport,
        entries,
        placeOf(row, originOf(BACKEND)),
      );
    },
    async events() {
      const events: { readonly id: string }[] = [];
      let cursor: string | undefined;
      do {
        const page = await journal.events({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
        const mine = page.items.filter(({ entrance }) => entrance === `EventBridge/${BRIDGE}`);
        events.push(...mine.map(({ attributes }) => JSON.parse(attributes) as { id: string }));
        cursor = page.next;
      } while (cursor !== undefined);
      return events.toReversed();
    },
    async instances() {
      const counts = await journal.countRows('instance');
      return counts.reduce((sum, { count }) => sum + count, 0);
    },
    position,
    async [Symbol.asyncDispose]() {
      await journal.close();
      await chosen.drop();
      await rm(directory, { recursive: true });
    },
  };
}

const OBSERVER: Observer = {
  accepted: () => undefined,
  proved: () => undefined,
  committed: () => undefined,
  queued: () => undefined,
  repeated: () => undefined,
  rejected: () => undefined,
};

/** Leaves every delivery to the journal. */
const ENGINE: DeliveryEngine = {
  room: () => false,
  hand: () => undefined,
  routesChanged: () => undefined,
  due: () => undefined,
  start: () => undefined,
  drain: async () => undefined,
  held: 0,
};

function startProcess(
  on: Cable,
  renderers: ReturnType<typeof createRenderers>,
  transport: Transport,
  entries: readonly Entry[],
  place: ReturnType<typeof placeOf>,
): Process {
  const runtime = buildRuntime({ version: 1, revision: 1, entries });
  const bridge = runtime.bridges.get(BRIDGE);
  if (bridge === undefined) throw new Error('no entry is the bridge');
  const { promise: failed, resolve: tellFailed } = Promise.withResolvers<void>();
  const log = { ...createMemoryLog(), warn: () => tellFailed() };
  const backlog = { full: () => undefined, added: () => undefined };
  let clock = START;
  const now = (): number => (clock += TICK_MS);
  const common = { journal: on, backlog, observer: OBSERVER, renderers, runtime: () => runtime, now };
  const nothing = (): void => undefined;
  const streams = createStreams({ ...common, engine: () => ENGINE, due: nothing, brought: nothing, log });
  let written = 0;
  let isLost = false;
  let tell = (): void => undefined;
  const reader = createReader({
    bridge,
    transport,
    place,
    client: {
      read: (_, done) => done(undefined, { code: 'NoAnswer', message: 'nobody is there' }),
      stream() {
        throw new Error('the transports of tests open nothing');
      },
    },
    write: createBridgeEntrance({ ...common, engine: ENGINE, streams }),
    counted(what, by) {
      if (what === 'events' || what === 'duplicates') written += by;
      tell();
    },
    lost() {
      isLost = true;
      tell();
    },
    now,
    random: () => 0.5,
    randomBytes,
    setTimer(work) {
      const timer = setImmediate(work);
      return () => clearImmediate(timer);
    },
    log,
  });
  return {
    reader,
    get isLost() {
      return isLost;
    },
    failed,
    wrote: (events) =>
      new Promise((resolve, reject) => {
        tell = () => {
          if (isLost) reject(new Error('it believes that another reads'));
          if (written >= events) resolve();
        };
        tell();
      }),
  };
}
