import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chosenJournal } from '../../test/postgres/chosen-journal.ts';
import type { Accepted } from '../acceptance.ts';
import type { HeldDelivery } from '../deliver/engine-contract.ts';
import { createMemoryLog } from '../deliver/testing.ts';
import type { RequestError } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import type { Journal } from '../journal/journal.ts';
import { openJournal } from '../journal/open-journal.ts';
import { createRenderers } from '../routing/renderers.ts';
import { buildRuntime, type Runtime } from '../routing/runtime.ts';
import type { StepShape, StreamShape, TriggerEntry } from '../routing/table.ts';
import { POLICY, triggerEntry } from '../routing/testing.ts';
import type { Instance } from './instance.ts';
import { instanceIn } from './rows.ts';
import { createStreams, type Streams } from './streams.ts';
import { ENTRANCE } from './testing.ts';

/* A journal of its own, and receivers that work on it side by side; deliveries are caught and not made. For tests. */

/** A stream `shop/saga` in force. */
export function sagaEntry(shape: StreamShape, over: Partial<TriggerEntry> = {}): TriggerEntry {
  const destination = { kind: 'sink', url: 'http://127.0.0.1:9/', headers: [] } as const;
  const steps = shape.steps.map((step: StepShape) => ({
    ...step,
    destination: step.shape.job === undefined ? destination : ({ ...destination, kind: 'job' } as const),
    policy: POLICY,
  }));
  return triggerEntry({
    name: 'saga',
    filters: [{ exact: { type: 'start' } }],
    stream: { ...shape, steps },
    ...over,
  });
}

export function runtimeOf(...entries: TriggerEntry[]): Runtime {
  return buildRuntime({ version: 1, revision: 1, entries });
}

/** One receiver's value streams, with what it was handed to deliver. */
export interface Handling {
  readonly streams: Streams;
  readonly handed: HeldDelivery[];
}

export interface Harness {
  readonly journal: Journal;
  /** A receiver that remembers nothing. */
  receiver(): Handling;
  /** Accepts one event by way of a receiver; undefined where the streams have nothing to do with it. */
  accept(by: Handling, event: CloudEvent, entrance?: string): Promise<Accepted | RequestError | undefined>;
  /** Tells that a delivery was taken, or is a dead letter. */
  settle(by: Handling, delivery: HeldDelivery, body?: unknown): Promise<void>;
  bury(by: Handling, delivery: HeldDelivery): Promise<void>;
  instance(id: string): Promise<Instance | undefined>;
  instances(): Promise<readonly Instance[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens one; `now` is the clock of all its receivers. */
export async function openHarness(runtime: () => Runtime, now: () => number): Promise<Harness> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-streams-'));
  const log = createMemoryLog();
  const chosen = await chosenJournal();
  const journal = await openJournal({ ...chosen.journal, directory, log });
  let made = 0;

  function receiver(): Handling {
    const handed: HeldDelivery[] = [];
    const streams = createStreams({
      journal,
      engine: () => ({ room: () => true, hand: (all) => void handed.push(...all), due: () => undefined }),
      backlog: { added: () => undefined },
      observer: { queued: () => undefined, committed: () => undefined },
      brought: () => undefined,
      renderers: createRenderers(journal, 10),
      runtime,
      due: () => undefined,
      now,
      log,
      newId: () => `i${made++}`,
    });
    return { streams, handed };
  }

  return {
    journal,
    receiver,
    async accept({ streams }, event, entrance = ENTRANCE) {
      const asked = streams.asked(event, entrance);
      if (asked === undefined) return undefined;
      const arrival = {
        entrance,
        dedup: { enabled: true, windowMs: 1e9 },
        key: undefined,
        revision: 1,
        now: now(),
      };
      const [outcome] = await streams.write([{ event, triggers: [], asked }], arrival, true);
      return outcome;
    },
    async settle({ streams }, delivery, body) {
      const attempt = { at: now(), durationMs: 1, status: 200 };
      const answer = { status: 200, headers: {}, body: Buffer.from(JSON.stringify(body ?? null)) };
      streams.settle(delivery, { delivery: delivery.id, state: 'delivered', attempt }, answer);
      await streams.drain();
    },
    async bury({ streams }, delivery) {
      streams.settle(
        delivery,
        { delivery: delivery.id, state: 'dead', at: now(), reason: 'gave up' },
        undefined,
      );
      await streams.drain();
    },
    async instance(id) {
      const [row] = await journal.rows('instance', [id]);
      return row && instanceIn(row);
    },
    async instances() {
      const page = await journal.listRows({ kind: 'instance', limit: 1000 });
      return page.items.map(instanceIn);
    },
    async [Symbol.asyncDispose]() {
      await journal.close();
      await chosen.drop();
      await rm(directory, { recursive: true });
    },
  };
}
