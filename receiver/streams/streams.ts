import { randomBytes } from 'node:crypto';
import type { HeldDelivery, Tasks } from '../deliver/engine-contract.ts';
import type { Renderer } from '../deliver/renderer.ts';
import { createRoster } from '../deliver/roster.ts';
import { stepTask } from '../deliver/task.ts';
import type { CloudEvent } from '../event/event.ts';
import type { Journal, Settlement, StateRow } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { Renderers } from '../routing/renderers.ts';
import { createArrivals, type WriteArrivals } from './arrivals.ts';
import { type Asked, askedAgain, askedOf } from './calls.ts';
import { type CommitterParts, createCommitter } from './committer.ts';
import { decideEvent, decideInput, decideStaleKey, type World } from './decide.ts';
import { keep } from './kept.ts';
import { rowKey } from './ledger.ts';
import { instanceIn } from './rows.ts';
import { stepAnswer } from './step-answer.ts';
import { stepRenderer } from './step-renderer.ts';
import type { Came, Hand } from './transition.ts';
import { createTurns } from './turns.ts';
import { createVersions } from './versions.ts';
import { type CameIn, type Whereabouts, whereaboutsOf } from './whereabouts.ts';

/** What value streams work with. */
export interface StreamsParts extends Omit<CommitterParts, 'journal' | 'renderers' | 'world' | 'written'> {
  readonly journal: Pick<Journal, 'commit' | 'rows' | 'deliveries' | 'listRows' | 'countRows'>;
  readonly renderers: Renderers;
  /** Something wants attention at that time. */
  readonly due: (at: number) => void;
  readonly log: Log;
  /** Makes an instance's id. Default: 128 random bits. */
  readonly newId?: () => string;
}

/** The value streams of a receiver: reads rows, lets the pure functions decide, and commits what they say. */
export interface Streams extends Tasks {
  /** What an event asks of the streams at its entrance; undefined: nothing. */
  asked(event: CloudEvent, entrance: string): Asked | undefined;
  /**
   * Writes all events of a request, some of which ask something of streams: one outcome each. `refuses`: its sender is
   * told of faults. Rejects, with a JournalError where it is the journal's, when nothing was taken.
   */
  write: WriteArrivals;
  /** Time has come for an instance or a key, whose row was just read. */
  elapsed(row: StateRow): Promise<void>;
  /** The Renderer of a step's delivery. */
  renderer(shape: string, task: string): Promise<Renderer | undefined>;
  /** An operator's hand. */
  hand(id: string, action: Hand): Promise<Came | 'unknown'>;
  /** Where the streams among these triggers have an event that they took. */
  whereabouts(came: CameIn, triggers: readonly string[]): Promise<Whereabouts>;
  /** A table is in force: learns which earlier versions instances still run. */
  routesChanged(): void;
  /** Waits for what is being written. */
  drain(): Promise<void>;
}

const RETRY_MS = 1000;

/** Makes them. */
export function createStreams(parts: StreamsParts): Streams {
  const { journal, renderers, runtime, now, log } = parts;
  const newId = parts.newId ?? (() => randomBytes(16).toString('hex'));
  const trigger = (key: string) => runtime().trigger(key);
  const versions = createVersions({ journal, log, trigger });
  const world = (at: number): World => ({ now: at, trigger, compile: versions.compile, newId });
  const committer = createCommitter({
    ...parts,
    world,
    written(row) {
      if (row.due !== undefined) parts.due(row.due);
      if (row.kind === 'stream') versions.add(row);
    },
  });
  const writeArrivals = createArrivals({ committer, renderers, runtime, world });
  const inTurn = createTurns();
  const underWay = createRoster<Promise<unknown>>();
  let closing = false;

  function tracked<T>(work: Promise<T>): Promise<T> {
    const seat = underWay.add(work);
    const gone = (): void => underWay.remove(seat);
    work.then(gone, gone);
    return work;
  }

  async function elapsed(row: StateRow): Promise<void> {
    const { kind, id } = row;
    await inTurn([`${kind} ${id}`], () =>
      committer.change(new Map([[rowKey(kind, id), row]]), [], (ledger, on) => {
        if (kind === 'key') decideStaleKey(id, ledger, on);
        else decideInput(id, { kind: 'timer' }, ledger, on);
      }),
    );
  }

  async function settleOnce(
    instance: string,
    settlement: Settlement,
    input: Parameters<typeof decideInput>[1],
  ): Promise<void> {
    try {
      await inTurn([`instance ${instance}`], () =>
        committer.change(new Map(), [settlement], (ledger, on) => decideInput(instance, input, ledger, on)),
      );
    } catch (error) {
      log.error({ err: error, instance }, 'what became of a step cannot be written; trying again');
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      // What is not written when the receiver closes is attempted again by the next.
      if (!closing) await settleOnce(instance, settlement, input);
    }
  }

  function kindOf(key: string, step: string) {
    const steps = trigger(key)?.entry.stream?.steps;
    return steps?.find(({ name }) => name === step)?.destination.kind ?? 'sink';
  }

  /** It is stored already, with this delivery: what it causes now is made of a copy. */
  async function offer(delivery: HeldDelivery): Promise<string | undefined> {
    const { event, entrance, trigger: key } = delivery;
    const running = trigger(key);
    const asked = running && askedAgain(event, running, versions.older);
    if (asked === undefined) return 'no wait';
    const at = now();
    const kept = keep(event, entrance);
    const settlement = {
      delivery: delivery.id,
      state: 'delivered',
      attempt: { at, durationMs: 0, result: 'taken by its stream' },
    } as const;
    let unused: string | undefined;
    await committer
      .change(new Map(), [settlement], (ledger, on) => {
        const taken = decideEvent(asked, { event: kept, members: new Set([key]) }, ledger, on);
        const full = ledger.deliveries.some(({ doomed }) => doomed !== undefined);
        unused = taken.triggers.length === 0 ? 'no wait' : full ? 'inbox full' : undefined;
        if (unused !== undefined) throw new Unused();
        const instance = taken.instances[0];
        for (const made of ledger.deliveries.splice(0))
          ledger.copies.push({ event: kept, entrance: `Instance/${key}`, instance, delivery: made });
      })
      .catch((error: unknown) => {
        if (!(error instanceof Unused)) throw error;
      });
    return unused;
  }

  async function renderer(shape: string, task: string): Promise<Renderer | undefined> {
    const plain = await renderers.find(shape);
    const step = stepTask(task);
    if (plain === undefined || step === undefined) return plain;
    const instance = await instanceAt(step);
    const stream = instance && (await versions.find(instance.trigger, instance.stream));
    return stepRenderer(plain, instance, stream?.steps.find(({ name }) => name === step.step)?.input);
  }

  /** While a step's delivery is under way its instance's context stays as it is, so that the last seen row will do. */
  async function instanceAt({ instance: id, step }: { instance: string; step: string }) {
    const seen = committer.lastSeen('instance', id);
    if (seen !== undefined) {
      const instance = instanceIn(seen);
      const stream = await versions.find(instance.trigger, instance.stream);
      if (instance.status === 'Running' && stream?.steps[instance.step]?.name === step) return instance;
    }
    const [row] = await journal.rows('instance', [id]);
    return row && instanceIn(row);
  }

  return {
    asked(event, entrance) {
      const routes = runtime().streams(entrance);
      return routes && askedOf(event, routes, versions.older);
    },
    write(matched, arrival, refuses) {
      const things = matched.flatMap(({ asked }) => thingsOf(asked));
      return tracked(inTurn(things, () => writeArrivals(matched, arrival, refuses)));
    },
    elapsed: (row) => tracked(elapsed(row)),
    offer: (delivery) => tracked(offer(delivery)),
    settle(delivery, settlement, answer) {
      const task = stepTask(delivery.task);
      if (task === undefined) return;
      const { instance, step } = task;
      const input =
        settlement.state === 'dead'
          ? ({ kind: 'dead', step, delivery: delivery.id, reason: settlement.reason } as const)
          : ({
              kind: 'delivered',
              step,
              answer: stepAnswer(kindOf(delivery.trigger, step), answer),
            } as const);
      void tracked(settleOnce(instance, settlement, input));
    },
    renderer,
    hand: (id, action) =>
      tracked(
        inTurn([`instance ${id}`], () =>
          committer.change(new Map(), [], (ledger, on) =>
            decideInput(id, { kind: 'hand', action }, ledger, on),
          ),
        ),
      ),
    whereabouts: (came, triggers) =>
      whereaboutsOf(
        came,
        triggers.flatMap((key) => trigger(key) ?? []),
        { journal, older: versions.older },
      ),
    routesChanged: () => void tracked(versions.load()),
    async drain() {
      closing = true;
      while (underWay.size > 0) await Promise.allSettled(underWay.items());
    },
  };
}

/** Thrown out of a decision that comes to nothing, so that nothing is written. */
class Unused extends Error {}

/** What an event concerns, as far as that is known before anything is read. */
function thingsOf(asked: Asked | undefined): readonly string[] {
  if (asked === undefined) return [];
  const { calls, instance } = asked;
  const keys = calls.flatMap(({ trigger, keys: all }) => all.map(({ key }) => `key ${trigger.key}\n${key}`));
  return instance === undefined ? keys : [...keys, `instance ${instance}`];
}
