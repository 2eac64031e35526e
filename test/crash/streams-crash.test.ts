import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { HeldDelivery } from '../../receiver/deliver/engine-contract.ts';
import { stepTask } from '../../receiver/deliver/task.ts';
import { createMemoryLog } from '../../receiver/deliver/testing.ts';
import { viewData } from '../../receiver/event/data-view.ts';
import { CloudEvent } from '../../receiver/event/event.ts';
import type { Journal, UnitOutcome } from '../../receiver/journal/journal.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';
import { createRenderers } from '../../receiver/routing/renderers.ts';
import { runtimeOf, sagaEntry } from '../../receiver/streams/journal-harness.ts';
import { instanceIn } from '../../receiver/streams/rows.ts';
import { createStreams } from '../../receiver/streams/streams.ts';
import { ENTRANCE, eventOf, stepOf, streamOf } from '../../receiver/streams/testing.ts';

const BY = { correlate: 'data.order' };
const RUNTIME = runtimeOf(
  sagaEntry(
    streamOf(
      [
        stepOf('reserve'),
        stepOf('charge', { wait: { filters: [{ exact: { type: 'paid' } }], ...BY } }),
        stepOf('rest', { wait: { sleepMs: 1000 } }),
        stepOf('ship', { wait: { filters: [{ exact: { type: 'packed' } }], ...BY } }),
      ],
      { onStart: 'StartOrWake', ...BY },
    ),
  ),
);
/** `packed` comes before there is an instance, and nothing waits for the second start. */
const EVENTS = ['packed', 'start', 'paid', 'start'].map((type, i) =>
  eventOf({ type, id: `${i}` }, { order: 'A' }),
);

class Died extends Error {}

/** A journal of a process that dies at its n-th touch of it: before a commit is written, or before that is known. */
function mortal(journal: Journal, touches: { left: number }): Journal {
  const dies = (): boolean => {
    touches.left -= 1;
    return touches.left < 0;
  };
  return {
    ...journal,
    commit(units, done) {
      if (dies()) throw new Died();
      journal.commit(units, (error, outcomes: readonly UnitOutcome[]) => {
        if (!dies()) done(error, outcomes);
      });
    },
  };
}

interface World {
  now: number;
  acked: number;
  readonly posts: Map<string, number>;
  ids: number;
}

/** One process: sends what is not acknowledged yet, delivers, lets time pass. Ends when the instance does, or at its death. */
async function live(journal: Journal, world: World, touches: { left: number }): Promise<boolean> {
  const queue: HeldDelivery[] = [];
  const log = createMemoryLog();
  const own = mortal(journal, touches);
  const streams = createStreams({
    journal: own,
    engine: () => ({ room: () => true, hand: (all) => void queue.push(...all), due: () => undefined }),
    backlog: { added: () => undefined },
    observer: { queued: () => undefined, committed: () => undefined },
    brought: () => undefined,
    renderers: createRenderers(journal, 10),
    runtime: () => RUNTIME,
    due: () => undefined,
    now: () => world.now,
    log,
    newId: () => `i${world.ids++}`,
  });
  const dead = () => touches.left < 0;
  /** Waits for a promise of a process that may be dead by then. */
  const unlessDead = async <T>(work: Promise<T>): Promise<T> => {
    let over = false;
    const end = (): void => {
      over = true;
    };
    work.then(end, end);
    while (!over && !dead()) await new Promise(setImmediate);
    if (!over) throw new Died();
    return work;
  };
  try {
    for (let rounds = 0; rounds < 50; rounds++) {
      for (; world.acked < Math.min(EVENTS.length, 1 + Math.floor(rounds / 2)); world.acked++) {
        const event = EVENTS[world.acked] as CloudEvent;
        const asked = streams.asked(event, ENTRANCE);
        const dedup = { enabled: true, windowMs: 1e9 };
        const arrival = { entrance: ENTRANCE, dedup, key: undefined, revision: 1, now: world.now };
        await unlessDead(streams.write([{ event, triggers: [], asked }], arrival, true));
      }
      queue.push(...(await claimed(journal, world.now)));
      for (const delivery of queue.splice(0)) {
        const task = delivery.task ?? '';
        // The second start was held until the end, and is a dead letter.
        if (stepTask(task) === undefined) continue;
        world.posts.set(task, (world.posts.get(task) ?? 0) + 1);
        const attempt = { at: world.now, durationMs: 1, status: 200 };
        streams.settle(delivery, { delivery: delivery.id, state: 'delivered', attempt }, undefined);
        await unlessDead(streams.drain());
      }
      for (const row of await journal.dueRows('instance', world.now, 10))
        await unlessDead(streams.elapsed(row));
      world.now += 400;
      if (world.acked === EVENTS.length && (await statuses(journal)).join() === 'Finished') return true;
    }
    throw new Error(
      `stuck: ${JSON.stringify((await journal.listRows({ kind: 'instance', limit: 9 })).items)}`,
    );
  } catch (error) {
    if (error instanceof Died || dead()) return false;
    throw error;
  }
}

async function claimed(journal: Journal, now: number): Promise<readonly HeldDelivery[]> {
  const all = await journal.claim(now, 100, 1 << 20);
  return all.map((one) => {
    const attributes = JSON.parse(one.attributes) as Record<string, string>;
    const body = one.data === undefined ? undefined : Buffer.from(one.data);
    return { ...one, event: new CloudEvent(attributes, body, viewData) };
  });
}

async function statuses(journal: Journal): Promise<readonly string[]> {
  return (await journal.listRows({ kind: 'instance', limit: 10 })).items.map((row) => instanceIn(row).status);
}

it('an instance lives once, wherever between two effects its receiver dies', async () => {
  let whole = false;
  let deaths = 0;
  for (let at = 0; !whole; at++) {
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-crash-'));
    const world: World = { now: 1_000_000, acked: 0, posts: new Map(), ids: 0 };
    const open = () => openSqliteJournal({ directory, log: createMemoryLog() });
    const first = await open();
    whole = await live(first, world, { left: at });
    await first.close();
    if (!whole) {
      deaths += 1;
      const second = await open();
      expect(await live(second, world, { left: Number.POSITIVE_INFINITY })).toBe(true);
      await second.close();
    }
    // One instance, each of its steps posted, and again at most where the process died over its answer.
    const tasks = [...world.posts].map(([task, posts]) => ({ ...stepTask(task), posts }));
    expect(new Set(tasks.map(({ instance }) => instance)).size, `died at ${at}`).toBe(1);
    expect(tasks.map(({ step }) => step)).toEqual(['reserve', 'charge', 'rest', 'ship']);
    expect(tasks.reduce((sum, { posts }) => sum + posts, 0)).toBeLessThanOrEqual(whole ? 4 : 5);
    await rm(directory, { recursive: true });
  }
  expect(deaths).toBeGreaterThan(15);
}, 120_000);
