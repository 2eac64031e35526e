import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bridges, createBridges } from '../../receiver/bridge/bridges.ts';
import type { WriteEvents } from '../../receiver/bridge/entrance.ts';
import { createClient } from '../../receiver/deliver/client.ts';
import { systemTimer } from '../../receiver/deliver/outbound.ts';
import type { Journal, Unit } from '../../receiver/journal/journal.ts';
import { openJournal } from '../../receiver/journal/open-journal.ts';
import { createLog } from '../../receiver/observe/log.ts';
import { buildRuntime } from '../../receiver/routing/runtime.ts';
import { bridgeEntry, ojsSource } from '../../receiver/routing/testing.ts';
import { type ChosenJournal, chosenJournal } from '../postgres/chosen-journal.ts';
import { type BridgeStage, enqueue, setStage } from './stage.ts';

let directory: string;
let chosen: ChosenJournal;
let journal: Journal;
let stage: BridgeStage;
let open: Bridges[];
let skew: Map<string, number>;
let thawAll: (() => void)[];
const log = createLog('silent');
const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-lease-'));
  chosen = await chosenJournal();
  journal = await openJournal({ ...chosen.journal, directory, log });
  stage = await setStage({ have: ['events'] });
  open = [];
  skew = new Map();
  thawAll = [];
});

afterEach(async () => {
  for (const thaw of thawAll) thaw();
  await Promise.all(open.map((one) => one.stop()));
  await journal.close();
  await chosen.drop();
  await stage[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

interface Receiver {
  readonly bridges: Bridges;
  readonly wrote: readonly string[];
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/** One of several receivers on one journal; `skew` moves its clock. Frozen, what it wants to write waits until it thaws. */
function receiver(holder: string): Receiver {
  const wrote: string[] = [];
  let frozen: (() => void)[] | undefined;
  const commit: Journal['commit'] = (units, done) => {
    if (frozen === undefined) journal.commit(units, done);
    else frozen.push(() => journal.commit(units, done));
  };
  const thaw = (): void => {
    const waiting = frozen ?? [];
    frozen = undefined;
    for (const write of waiting) write();
  };
  thawAll.push(thaw);
  const write: WriteEvents = (_bridge, events, rows, done) => {
    const units: Unit[] = [
      { deliveries: [], rows: [rows!.row], answer: '' },
      ...events.map(() => ({ deliveries: [], rows: [rows!.fence], answer: '' })),
    ];
    commit(units, (error, outcomes) => {
      if (error !== undefined) done({ lost: false, cause: error.message });
      else if (outcomes.some(({ outcome }) => outcome === 'conflict')) done({ lost: true, cause: 'fenced' });
      else {
        wrote.push(...events.map(({ id }) => id));
        done({ events: events.length, duplicates: 0, differing: 0 });
      }
    });
  };
  const bridges = createBridges({
    journal: { commit, rows: (kind, ids) => journal.rows(kind, ids) },
    client,
    write,
    counted: () => undefined,
    holder,
    now: () => Date.now() + (skew.get(holder) ?? 0),
    random: Math.random,
    randomBytes,
    setTimer: systemTimer,
    log,
  });
  open.push(bridges);
  const freeze = (): void => {
    frozen = [];
  };
  return { bridges, wrote, freeze, thaw };
}

const runtime = () =>
  buildRuntime({
    version: 1,
    revision: 1,
    entries: [bridgeEntry(stage.backend.url, { source: ojsSource(stage.backend.url) })],
  });

const stateOf = ({ bridges }: Receiver) => bridges.list()[0]?.state;

describe('a bridge of several receivers', () => {
  it('is read by one, and by another at once when that one ends', async () => {
    const { bridges } = runtime();
    const a = receiver('a');
    a.bridges.apply(bridges);
    await stage.until(() => stateOf(a) === 'Reading');
    const b = receiver('b');
    b.bridges.apply(bridges);
    enqueue(stage.backend);
    await stage.until(() => a.wrote.length === 1);
    expect(stateOf(b)).toBe('Standby');
    await a.bridges.stop();
    await stage.until(() => stateOf(b) === 'Reading');
    enqueue(stage.backend);
    await stage.until(() => b.wrote.length === 1);
    expect(b.wrote).not.toContain(a.wrote[0]);
  });

  it('is taken over from one that stands still, which is fenced off when it comes back', async () => {
    const { bridges } = runtime();
    const a = receiver('a');
    a.bridges.apply(bridges);
    await stage.until(() => stateOf(a) === 'Reading');
    const b = receiver('b');
    // Clocks that differ by hours change nothing.
    skew.set('b', -7_200_000);
    b.bridges.apply(bridges);
    await stage.until(() => stateOf(b) === 'Standby');
    a.freeze();
    enqueue(stage.backend);
    await stage.until(() => b.wrote.length === 1);
    expect(a.wrote).toEqual([]);
    a.thaw();
    enqueue(stage.backend);
    await stage.until(() => stateOf(a) === 'Standby');
    await stage.until(() => b.wrote.length === 2);
    expect(a.wrote).toEqual([]);
  });

  it('is taken back at once by the same receiver after a restart', async () => {
    const { bridges } = runtime();
    const a = receiver('a');
    a.bridges.apply(bridges);
    await stage.until(() => stateOf(a) === 'Reading');
    a.freeze();
    const again = receiver('a');
    again.bridges.apply(bridges);
    await stage.until(() => stateOf(again) === 'Reading');
  });
});
