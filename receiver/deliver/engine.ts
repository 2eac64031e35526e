import type { Attributes } from '../event/event.ts';
import { CloudEvent } from '../event/event.ts';
import type { ClaimedDelivery, Journal, Settlement } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { TraceContext } from '../observe/trace-context.ts';
import type { Tracing } from '../observe/tracing.ts';
import { createAttempts, type Dead, type Health, type Outcome } from './attempt.ts';
import { createClaims } from './claims.ts';
import { createDeadLetters } from './dead-letters.ts';
import type { DeliveryEngine, HeldDelivery, Route, Routes, Tasks } from './engine-contract.ts';
import { heldUp } from './held-up.ts';
import type { DeliveryObserver } from './observer.ts';
import type { Answer, OutboundClient, SetTimer } from './outbound.ts';
import { createReleases } from './releases.ts';
import type { Renderer } from './renderer.ts';
import { createRoster } from './roster.ts';
import { createScheduler, type Start } from './scheduler.ts';
import { stepTask, UNUSED_TASK } from './task.ts';

/** What an engine is made of. */
export interface EngineOptions {
  readonly journal: Pick<Journal, 'settle' | 'claim' | 'nextDue' | 'release' | 'flush'>;
  readonly routes: Routes;
  readonly client: OutboundClient;
  readonly tasks: Tasks;
  /** Makes a request of an event as it is (binary mode): what a dead letter sink gets. */
  readonly deadLetterRenderer: Renderer;
  /** What an event's `data` is, for events read back (event/data-view.ts). */
  readonly view: (event: CloudEvent) => unknown;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly setTimer: SetTimer;
  readonly observer: DeliveryObserver;
  /** Left out: nothing is traced. */
  readonly traces?: Traces | undefined;
  readonly log: Log;
  /** How many deliveries memory holds. Default 10,000. */
  readonly maxHeld?: number;
  /** How much of their data. Default 64 MiB. */
  readonly maxHeldBytes?: number;
  /** Attempts under way to all targets together. Default 1024. */
  readonly maxInFlight?: number;
}

/** What tracing needs of delivery. */
export interface Traces {
  readonly tracing: Tracing;
  /** The span in which an event of the journal was received. Never rejects. */
  readonly contextOf: (event: number) => Promise<TraceContext | undefined>;
}

/** What a delivery takes in memory beside its event's data. */
const OVERHEAD_BYTES = 1024;
/** When memory refused deliveries, they are in the journal a moment later. */
const COMMIT_MS = 50;
const RENDERER_RETRY_MS = 5000;

/** Makes an engine: bounded in memory, one lane per trigger, one circuit per destination; retries lie in the journal. */
export function createEngine(options: EngineOptions): DeliveryEngine {
  const { journal, routes, tasks, now, random, setTimer, observer, log } = options;
  const { maxHeld = 10_000, maxHeldBytes = 64 * 1024 * 1024, maxInFlight = 1024 } = options;
  const { traces } = options;
  const attempts = createAttempts({
    client: options.client,
    observer,
    now,
    random,
    setTimer,
    tracing: traces?.tracing,
  });
  const deadLetters = createDeadLetters({
    client: options.client,
    renderer: options.deadLetterRenderer,
    view: options.view,
    setTimer,
  });
  const underWay = createRoster<HeldDelivery>();
  let held = 0;
  let bytes = 0;
  let draining = false;
  let abandoned = false;
  let whenIdle: (() => void) | undefined;

  const scheduler = createScheduler({
    routes,
    now,
    setTimer,
    log,
    maxInFlight,
    maxHeld,
    start,
    spare,
    turnAway,
    spill,
    eased: () => claims.wake(now()),
  });
  const { leaveOut } = scheduler;
  const claims = createClaims({ journal, now, setTimer, log, room: roomLeft, leaveOut, take: takeBack });
  const releases = createReleases({
    journal,
    routes,
    now,
    setTimer,
    log,
    released: () => claims.wake(now()),
  });

  function roomLeft(): number {
    return bytes >= maxHeldBytes ? 0 : maxHeld - held;
  }

  function hold(delivery: HeldDelivery): void {
    held += 1;
    bytes += sizeOf(delivery);
    if (draining) giveBack(delivery);
    else scheduler.add(delivery);
  }

  /** A delivery leaves memory: what became of it is the journal's now; of a step's end, with its instance. */
  function leave(delivery: HeldDelivery, settlement: Settlement, answer?: Answer): void {
    forget(delivery);
    const { state } = settlement;
    const over = state === 'delivered' || state === 'dead';
    if (over && stepTask(delivery.task) !== undefined) tasks.settle(delivery, settlement, answer);
    else journal.settle(settlement);
    if (over) observer.ended(delivery.trigger, state);
    if (settlement.state === 'waiting') wakeFor(delivery, settlement.due);
    else if (delivery.line !== undefined) claims.wake(now());
  }

  /** What is left out for now is found when its trigger has room again. */
  function wakeFor({ trigger }: HeldDelivery, due: number): void {
    if (!scheduler.isLeftOut(trigger)) claims.wake(due);
  }

  function forget(delivery: HeldDelivery): void {
    held -= 1;
    bytes -= sizeOf(delivery);
    if (held * 4 <= maxHeld * 3 && bytes * 4 <= maxHeldBytes * 3) claims.freed();
  }

  function giveBack(delivery: HeldDelivery): void {
    leave(delivery, { delivery: delivery.id, state: 'waiting', due: now() });
  }

  function spill(delivery: HeldDelivery, due: number): void {
    leave(delivery, { delivery: delivery.id, state: 'waiting', due });
  }

  function turnAway(delivery: HeldDelivery, route: Route | undefined): void {
    if (delivery.attempts === 0) observer.tried();
    if (route === undefined) {
      const { task, trigger } = delivery;
      const step = stepTask(task)?.step;
      const gone = step === undefined || routes.route(trigger) === undefined;
      const reason = gone ? 'trigger deleted' : `the trigger has no step ${step} any more`;
      bury(delivery, undefined, { state: 'dead', cause: 'trigger_deleted', reason });
      return;
    }
    const reason = heldUp(route) ?? 'not to be delivered now';
    leave(delivery, { delivery: delivery.id, state: 'parked', reason });
  }

  function spare(delivery: HeldDelivery, route: Route): boolean {
    const outcome = attempts.spare(delivery, route);
    if (outcome === undefined) return false;
    conclude(delivery, route, outcome);
    return true;
  }

  function start({ delivery, route, ended }: Start): void {
    const seat = underWay.add(delivery);
    const over = (health: Health): void => {
      underWay.remove(seat);
      ended(health);
    };
    const finish = (outcome: Outcome, health: Health): void => {
      over(health);
      conclude(delivery, route, outcome);
      restIfIdle();
    };
    if (delivery.task === UNUSED_TASK) {
      offer(delivery, finish, () => over('unknown'));
      return;
    }
    const found = routes.renderer(delivery.shape, delivery.task);
    if (found instanceof Promise) {
      found.then(
        (late) => runWith(late, delivery, route, finish),
        (error: unknown) => {
          log.error(
            { err: error, trigger: delivery.trigger },
            'a delivery waits: its shape cannot be read from the journal',
          );
          finish({ state: 'waiting', due: now() + RENDERER_RETRY_MS }, 'unknown');
        },
      );
    } else {
      runWith(found, delivery, route, finish);
    }
  }

  /** An event that no step took is no request: its stream is asked again, where it is not known to be useless already. */
  function offer(
    delivery: HeldDelivery,
    finish: (outcome: Outcome, health: Health) => void,
    taken: () => void,
  ): void {
    const dead = (reason: string): void => finish({ state: 'dead', cause: 'unused', reason }, 'unknown');
    if (delivery.doomed !== undefined) {
      dead(delivery.doomed);
      return;
    }
    const isTaken = (): void => {
      taken();
      if (!abandoned) {
        if (delivery.attempts === 0) observer.tried();
        forget(delivery);
        observer.ended(delivery.trigger, 'delivered');
      }
      restIfIdle();
    };
    tasks.offer(delivery).then(
      (reason) => (reason === undefined ? isTaken() : dead(reason)),
      (error: unknown) => {
        log.error(
          { err: error, trigger: delivery.trigger },
          'an event cannot be offered to its stream; trying again',
        );
        finish({ state: 'waiting', due: now() + RENDERER_RETRY_MS }, 'unknown');
      },
    );
  }

  function runWith(
    renderer: Renderer | undefined,
    delivery: HeldDelivery,
    route: Route,
    finish: (outcome: Outcome, health: Health) => void,
  ): void {
    if (renderer === undefined) {
      const reason = 'what it was to send is no longer known: redrive it to send it by the present spec';
      finish({ state: 'dead', cause: 'shape_unknown', reason }, 'unknown');
    } else {
      attempts.run(delivery, route, renderer, finish);
    }
  }

  function conclude(delivery: HeldDelivery, route: Route, outcome: Outcome): void {
    // Past the grace it went back to the journal already; its late end changes nothing there.
    if (abandoned) return;
    if (delivery.attempts === 0) observer.tried();
    if (outcome.state === 'dead') {
      bury(delivery, route, outcome);
      return;
    }
    if (outcome.state === 'waiting' && log.isLevelEnabled('debug')) {
      log.debug(
        { ...tell(delivery), due: outcome.due, attempt: outcome.attempt },
        'a delivery is tried again',
      );
    }
    if (outcome.state === 'delivered')
      leave(
        delivery,
        { delivery: delivery.id, state: 'delivered', attempt: outcome.attempt },
        outcome.answer,
      );
    else leave(delivery, { delivery: delivery.id, ...outcome });
  }

  /** The end of a delivery that did not succeed: told to the dead letter sink where there is one, kept in any case. */
  function bury(delivery: HeldDelivery, route: Route | undefined, dead: Dead): void {
    observer.dead(dead.cause);
    log.warn({ ...tell(delivery), reason: dead.reason }, 'a delivery is a dead letter');
    const destination = route?.policy.deadLetter;
    if (route === undefined || destination === undefined) {
      settleDead(delivery, dead, undefined);
      return;
    }
    const seat = underWay.add(delivery);
    const death = { destination: route.destination.url, reason: dead.reason, answer: dead.answer };
    deadLetters.send(delivery, death, { destination, timeoutMs: route.policy.timeoutMs }, (note) => {
      underWay.remove(seat);
      if (!abandoned) settleDead(delivery, dead, note);
      restIfIdle();
    });
  }

  function settleDead(delivery: HeldDelivery, dead: Dead, note: string | undefined): void {
    if (note !== undefined) log.warn(tell(delivery), note);
    const { attempt } = dead;
    const reason = note === undefined ? dead.reason : `${dead.reason}; ${note}`;
    const at = now();
    leave(delivery, {
      delivery: delivery.id,
      state: 'dead',
      at,
      reason,
      ...(attempt === undefined ? {} : { attempt }),
    });
  }

  function takeBack(deliveries: readonly ClaimedDelivery[]): void | Promise<void> {
    if (traces !== undefined) return takeBackTraced(deliveries, traces);
    for (const claimed of deliveries) hold(heldOf(claimed, options.view));
  }

  async function takeBackTraced(
    deliveries: readonly ClaimedDelivery[],
    { contextOf }: Traces,
  ): Promise<void> {
    const contexts = await Promise.all(deliveries.map(({ event }) => contextOf(event)));
    for (const [i, claimed] of deliveries.entries())
      hold({ ...heldOf(claimed, options.view), trace: contexts[i] });
  }

  function restIfIdle(): void {
    if (underWay.size === 0) whenIdle?.();
  }

  async function drain(graceMs: number): Promise<void> {
    draining = true;
    await claims.stop();
    releases.stop();
    for (const delivery of scheduler.stop()) giveBack(delivery);
    if (underWay.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = setTimer(resolve, graceMs);
        whenIdle = () => {
          cancel();
          resolve();
        };
      });
    }
    abandoned = true;
    for (const delivery of underWay.items()) giveBack(delivery);
    underWay.clear();
    await journal.flush();
  }

  return {
    room(deliveries, size) {
      const more = size + deliveries * OVERHEAD_BYTES;
      if (deliveries === 0) return true;
      const fits = !draining && held + deliveries <= maxHeld && bytes + more <= maxHeldBytes;
      if (!fits) claims.wake(now() + COMMIT_MS);
      return fits;
    },
    hand(deliveries) {
      for (const delivery of deliveries) hold(delivery);
    },
    routesChanged: (triggers) => releases.add(triggers),
    due: (at) => claims.wake(at),
    start() {
      claims.start();
      scheduler.tend();
    },
    drain,
    get held() {
      return held;
    },
  };
}

function sizeOf({ event }: HeldDelivery): number {
  return OVERHEAD_BYTES + (event.body?.length ?? 0);
}

function heldOf(claimed: ClaimedDelivery, view: (event: CloudEvent) => unknown): HeldDelivery {
  const { id, trigger, shape, entrance, receivedAt, attempts, data, line, task } = claimed;
  const attributes: Attributes = Object.assign(Object.create(null), JSON.parse(claimed.attributes));
  const body = data === undefined ? undefined : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const event = new CloudEvent(attributes, body, view);
  return { id, trigger, shape, event, entrance, receivedAt, attempts, line, task };
}

/** How a log names a delivery. */
function tell({ id, trigger, event }: HeldDelivery): object {
  return { delivery: id, trigger, event: { source: event.source, id: event.id } };
}
