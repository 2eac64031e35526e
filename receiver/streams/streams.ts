import { randomBytes } from 'node:crypto';
import {
  type Accepted,
  type Arrival,
  acceptedOf,
  deliveriesOf,
  type Matched,
  senders,
} from '../acceptance.ts';
import type { DeliveryEngine, HeldDelivery } from '../deliver/engine-contract.ts';
import { heldUp } from '../deliver/held-up.ts';
import type { Answer } from '../deliver/outbound.ts';
import { stepTask } from '../deliver/task.ts';
import type { RequestError } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import type { Journal, JournalError, Settlement, StateRow, UnitOutcome } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { Renderers } from '../routing/renderers.ts';
import type { Runtime } from '../routing/runtime.ts';
import { type Asked, askedAgain, askedOf } from './calls.ts';
import { decideEvent, decideInput, decideStaleKey, type Taken, type World } from './decide.ts';
import { instanceFault } from './faults.ts';
import type { Instance } from './instance.ts';
import { keep } from './kept.ts';
import { Ledger, NeedRow, rowKey } from './ledger.ts';
import { createRowCache } from './row-cache.ts';
import { instanceIn, type Kind } from './rows.ts';
import { stepAnswer } from './step-answer.ts';
import { stepRenderer } from './step-renderer.ts';
import type { Stream } from './stream.ts';
import type { Came, Hand } from './transition.ts';
import { createTurns } from './turns.ts';
import { arrivalUnits, changeUnits, handed, type Making, type PlannedUnit } from './units.ts';
import { createVersions } from './versions.ts';

/** What value streams work with. */
export interface StreamsParts {
  readonly journal: Pick<Journal, 'commit' | 'settle' | 'rows' | 'listRows' | 'countRows'>;
  /** The engine that makes their deliveries; it is made after them. */
  readonly engine: () => Pick<DeliveryEngine, 'room' | 'hand'>;
  readonly renderers: Renderers;
  readonly runtime: () => Runtime;
  /** Something wants attention at that time. */
  readonly due: (at: number) => void;
  readonly now: () => number;
  readonly log: Log;
  /** Makes an instance's id. Default: 128 random bits. */
  readonly newId?: () => string;
}

/** Called once per request, with an outcome per event; a failure of the journal took nothing. */
export type StreamsDone = (
  error: JournalError | undefined,
  outcomes: readonly (Accepted | RequestError)[],
) => void;

/** The value streams of a receiver: reads rows, lets the pure functions decide, and commits what they say. */
export interface Streams {
  /** What an event asks of the streams at its entrance; undefined: nothing. */
  asked(event: CloudEvent, entrance: string): Asked | undefined;
  /** Writes all events of a request, some of which ask something of streams. `refuses`: its sender is told of faults. */
  write(matched: readonly Matched[], arrival: Arrival, refuses: boolean, done: StreamsDone): void;
  /** Time has come for an instance or a key, whose row was just read. */
  elapsed(row: StateRow): Promise<void>;
  /** As the engine's Tasks. */
  offer(delivery: HeldDelivery): Promise<string | undefined>;
  settle(delivery: HeldDelivery, settlement: Settlement, answer: Answer | undefined): void;
  /** The Renderer of a step's delivery. */
  renderer(shape: string, task: string): ReturnType<Renderers['find']>;
  /** An operator's hand. */
  hand(id: string, action: Hand): Promise<Came | 'unknown'>;
  instance(id: string): Promise<Instance | undefined>;
  /** A table is in force: learns which earlier versions instances still run. */
  routesChanged(): void;
  /** Waits for what is being written. */
  drain(): Promise<void>;
}

const CACHE_BYTES = 32 << 20;
const RETRY_MS = 1000;

/** Makes them. */
export function createStreams(parts: StreamsParts): Streams {
  const { journal, renderers, runtime, now, log } = parts;
  const newId = parts.newId ?? (() => randomBytes(16).toString('hex'));
  const cache = createRowCache(CACHE_BYTES);
  const versions = createVersions({ journal, log, trigger: (key) => runtime().trigger(key) });
  const inTurn = createTurns();
  const underWay = new Set<Promise<unknown>>();

  function world(at: number): World {
    return { now: at, trigger: (key) => runtime().trigger(key), compile: versions.compile, newId };
  }

  async function readRow(kind: Kind, id: string): Promise<StateRow | undefined> {
    return cache.get(kind, id) ?? (await journal.rows(kind, [id]))[0];
  }

  /** Decides by the rows that are known, and reads what is missing until it can. */
  async function decide<T>(
    known: Map<string, StateRow | undefined>,
    at: number,
    by: (ledger: Ledger) => T,
  ): Promise<{ readonly ledger: Ledger; readonly result: T }> {
    for (;;) {
      const ledger = new Ledger(known, at);
      try {
        return { ledger, result: by(ledger) };
      } catch (error) {
        if (!(error instanceof NeedRow)) throw error;
        const { kind, id } = error;
        known.set(rowKey(kind, id), await readRow(kind, id));
      }
    }
  }

  function commit(planned: readonly PlannedUnit[]): Promise<readonly UnitOutcome[]> {
    return new Promise((resolve, reject) => {
      journal.commit(
        planned.map(({ unit }) => unit),
        (error, outcomes) => (error === undefined ? resolve(outcomes) : reject(error)),
      );
    });
  }

  /** What was committed is what is known from now on; what was not is to be read anew. */
  function learn(ledger: Ledger, outcome: UnitOutcome | undefined): void {
    if (outcome?.outcome === 'committed') {
      for (const [key, row] of ledger.after()) {
        cache.put(key, row);
        if (row?.due !== undefined) parts.due(row.due);
        if (row?.kind === 'stream') versions.add(row);
      }
    } else if (outcome?.outcome === 'conflict') {
      for (const { kind, id } of ledger.rows()) cache.drop(rowKey(kind, id));
    }
  }

  function making(at: number, ledgers: readonly Ledger[], plain: readonly Matched[]): Making {
    const table = runtime();
    let deliveries = 0;
    let bytes = 0;
    for (const { event, triggers } of plain) {
      deliveries += triggers.length;
      bytes += triggers.length * (event.body?.length ?? 0);
    }
    for (const ledger of ledgers) {
      deliveries += ledger.deliveries.length + ledger.copies.length;
      for (const { shape } of ledger.deliveries) renderers.pin(shape);
      for (const { delivery } of ledger.copies) renderers.pin(delivery.shape);
    }
    return {
      now: at,
      revision: table.revision,
      room: parts.engine().room(deliveries, bytes),
      parked(trigger, step) {
        const entry = table.trigger(trigger)?.entry;
        const target = step === undefined ? entry : entry?.stream?.steps.find(({ name }) => name === step);
        return entry === undefined || target === undefined
          ? undefined
          : heldUp({ suspend: entry.suspend, destination: target.destination });
      },
    };
  }

  function tracked<T>(work: Promise<T>): Promise<T> {
    underWay.add(work);
    const gone = (): void => void underWay.delete(work);
    work.then(gone, gone);
    return work;
  }

  // ---------------------------------------------------------------- events

  interface Work {
    readonly matched: Matched;
    ledger: Ledger | undefined;
    taken: Taken | undefined;
    outcome: Accepted | RequestError | undefined;
  }

  async function writeAll(
    matched: readonly Matched[],
    arrival: Arrival,
    refuses: boolean,
  ): Promise<readonly (Accepted | RequestError)[]> {
    const works = matched.map(
      (one): Work => ({
        matched: one,
        ledger: undefined,
        taken: undefined,
        outcome: undefined,
      }),
    );
    for (let left = works; left.length > 0; left = left.filter(({ outcome }) => outcome === undefined))
      await writeOnce(left, arrival, refuses);
    return works.map(({ outcome }) => outcome as Accepted | RequestError);
  }

  /** Decides and commits; works whose rows were changed by others meanwhile are left without an outcome. */
  async function writeOnce(works: readonly Work[], arrival: Arrival, refuses: boolean): Promise<void> {
    const at = arrival.now;
    const members = new Set(runtime().streams(arrival.entrance)?.members.keys());
    const known = new Map<string, StateRow | undefined>();
    for (const work of works) {
      const { event, asked } = work.matched;
      const kept = keep(event, arrival.entrance);
      const decided = await decide(known, at, (ledger): Taken => {
        if (asked === undefined) return { triggers: [], instances: [], faults: [] };
        return decideEvent(asked, kept, members, ledger, world(at));
      });
      work.ledger = decided.ledger;
      work.taken = decided.result;
      // What comes later in the request finds what this one leaves.
      for (const [key, row] of decided.ledger.after()) known.set(key, row);
    }
    const ledgers = works.flatMap(({ ledger }) => ledger ?? []);
    const made = making(
      at,
      ledgers,
      works.map((work) => work.matched),
    );
    for (const { triggers } of works.map((work) => work.matched))
      for (const { shape } of triggers) renderers.pin(shape);
    const units: PlannedUnit[] = [];
    const mains: number[] = [];
    for (const { matched, ledger, taken } of works) {
      if (ledger === undefined || taken === undefined) continue;
      const plain = deliveriesOf(matched, arrival, runtime(), made.room);
      units.push(
        ...arrivalUnits(matched.event, takersOf(matched, taken), arrival, plain, {
          ledger,
          making: made,
          ...(taken.faults.length === 0 ? {} : { more: { faults: taken.faults } }),
        }),
      );
      mains.push(units.length - 1);
    }
    if (units.length === 0) return;
    const outcomes = await commit(units);
    for (const [i, work] of works.entries()) {
      const outcome = outcomes[mains[i] ?? -1];
      if (work.ledger === undefined || work.taken === undefined || outcome === undefined) continue;
      learn(work.ledger, outcome);
      if (outcome.outcome === 'conflict') continue;
      const fault =
        refuses && outcome.outcome === 'committed' ? faultOf(work.matched, work.taken) : undefined;
      work.outcome = fault ?? acceptedOf(work.matched.event, takersOf(work.matched, work.taken), outcome);
    }
    parts.engine().hand(handed(units, outcomes, at));
  }

  // ---------------------------------------------------------------- what no event brings

  /** Decides, and decides again where somebody else was faster. */
  async function change<T>(
    known: ReadonlyMap<string, StateRow>,
    settlements: readonly Settlement[],
    by: (ledger: Ledger, on: World) => T,
  ): Promise<T> {
    for (let first = true; ; first = false) {
      const at = now();
      const { ledger, result } = await decide(new Map(first ? known : []), at, (it) => by(it, world(at)));
      if (ledger.isEmpty && settlements.length === 0) return result;
      const units = changeUnits(ledger, settlements, making(at, [ledger], []));
      const outcomes = await commit(units);
      const outcome = outcomes.at(-1);
      learn(ledger, outcome);
      if (outcome?.outcome === 'conflict') continue;
      parts.engine().hand(handed(units, outcomes, at));
      return result;
    }
  }

  async function elapsed(row: StateRow): Promise<void> {
    const { kind, id } = row;
    const known = new Map([[rowKey(kind, id), row]]);
    await inTurn([`${kind} ${id}`], () =>
      change(known, [], (ledger, on) => {
        if (kind === 'key') decideStaleKey(id, ledger, on);
        else decideInput(id, { kind: 'timer' }, ledger, on);
      }),
    );
  }

  function settle(delivery: HeldDelivery, settlement: Settlement, answer: Answer | undefined): void {
    const task = stepTask(delivery.task);
    if (task === undefined) return;
    const { instance, step } = task;
    const kind = runtime()
      .trigger(delivery.trigger)
      ?.entry.stream?.steps.find(({ name }) => name === step)?.destination.kind;
    const input =
      settlement.state === 'dead'
        ? ({ kind: 'dead', step, delivery: delivery.id, reason: settlement.reason } as const)
        : ({ kind: 'delivered', step, answer: stepAnswer(kind ?? 'sink', answer) } as const);
    const attempt = (): Promise<void> =>
      inTurn([`instance ${instance}`], async () => {
        await change(new Map(), [settlement], (ledger, on) => decideInput(instance, input, ledger, on));
      }).catch(async (error: unknown) => {
        log.error({ err: error, instance, step }, 'what became of a step cannot be written; trying again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
        return closing ? undefined : attempt();
      });
    void tracked(attempt());
  }

  let closing = false;

  async function offer(delivery: HeldDelivery): Promise<string | undefined> {
    const trigger = runtime().trigger(delivery.trigger);
    const asked = trigger && askedAgain(delivery.event, trigger, versions.older);
    if (asked === undefined) return 'no wait';
    const kept = keep(delivery.event, delivery.entrance);
    const at = now();
    const attempt = { at, durationMs: 0, result: 'taken by its stream' };
    const { ledger, result } = await decide(new Map(), at, (it) =>
      decideEvent(asked, kept, new Set([delivery.trigger]), it, world(at)),
    );
    if (result.triggers.length === 0) return 'no wait';
    if (ledger.deliveries.some(({ doomed }) => doomed !== undefined)) return 'inbox full';
    // It is stored already, with this delivery: what it causes now is made of a copy.
    for (const made of ledger.deliveries)
      ledger.copies.push({
        event: kept,
        entrance: `Instance/${delivery.trigger}`,
        instance: result.instances[0],
        delivery: made,
      });
    ledger.deliveries.length = 0;
    const settlement: Settlement = { delivery: delivery.id, state: 'delivered', attempt };
    const units = changeUnits(ledger, [settlement], making(at, [ledger], []));
    const outcomes = await commit(units);
    learn(ledger, outcomes.at(-1));
    if (outcomes.at(-1)?.outcome === 'conflict') return offer(delivery);
    parts.engine().hand(handed(units, outcomes, at));
    return undefined;
  }

  async function instance(id: string): Promise<Instance | undefined> {
    const [row] = await journal.rows('instance', [id]);
    return row && instanceIn(row);
  }

  async function rendererOf(shape: string, task: string) {
    const step = stepTask(task);
    const [renderer, row] = await Promise.all([
      renderers.find(shape),
      step === undefined ? undefined : readRow('instance', step.instance),
    ]);
    if (renderer === undefined || step === undefined) return renderer;
    const found = row && instanceIn(row);
    const stream: Stream | undefined = found && (await versions.find(found.trigger, found.stream));
    return stepRenderer(renderer, found, stream?.steps.find(({ name }) => name === step.step)?.input);
  }

  return {
    asked(event, entrance) {
      const routes = runtime().streams(entrance);
      return routes && askedOf(event, routes, versions.older);
    },
    write(matched, arrival, refuses, done) {
      const things = matched.flatMap(({ asked }) => thingsOf(asked));
      tracked(inTurn(things, () => writeAll(matched, arrival, refuses))).then(
        (outcomes) => done(undefined, outcomes),
        (error: unknown) => done(error as JournalError, []),
      );
    },
    elapsed: (row) => tracked(elapsed(row)),
    offer: (delivery) => tracked(offer(delivery)),
    settle,
    renderer: rendererOf,
    hand: (id, action) =>
      tracked(
        inTurn([`instance ${id}`], () =>
          change(new Map(), [], (ledger, on) => decideInput(id, { kind: 'hand', action }, ledger, on)),
        ),
      ),
    instance,
    routesChanged: () => void tracked(versions.load()),
    async drain() {
      closing = true;
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}

/** What an event concerns, as far as that is known before anything is read. */
function thingsOf(asked: Asked | undefined): readonly string[] {
  if (asked === undefined) return [];
  const { calls, instance } = asked;
  const keys = calls.flatMap(({ trigger, keys: all }) => all.map(({ key }) => `key ${trigger.key}\n${key}`));
  return instance === undefined ? keys : [...keys, `instance ${instance}`];
}

function takersOf(matched: Matched, { triggers, instances }: Taken) {
  const plain = senders(matched);
  return { triggers: [...plain.triggers, ...triggers], instances };
}

/** Only where nobody took it is an event refused for what its instance is. */
function faultOf({ triggers }: Matched, taken: Taken): RequestError | undefined {
  const [fault] = taken.faults;
  if (fault === undefined || triggers.length + taken.triggers.length > 0) return undefined;
  return instanceFault(fault);
}
