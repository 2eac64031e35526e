import type { DeliveryState, Settlement, Unit, UnitOutcome } from './journal.ts';

interface ModelDelivery {
  readonly trigger: string;
  state: DeliveryState;
  due: number;
  held: boolean;
  attempts: number;
}

/** What a journal must do, as plainly as it can be said: everything in maps, nothing durable. For tests. */
export function createModel() {
  const keys = new Map<string, { fingerprint: string; answer: string; expiresAt: number }>();
  const deliveries = new Map<number, ModelDelivery>();

  function seen(unit: Unit): UnitOutcome | undefined {
    const { unseen } = unit;
    if (unseen === undefined) return undefined;
    const key = Buffer.from(unseen.key).toString('hex');
    const fingerprint = Buffer.from(unseen.fingerprint).toString('hex');
    const earlier = keys.get(key);
    if (earlier !== undefined && earlier.expiresAt > unit.event.receivedAt) {
      return { outcome: 'seen', answer: earlier.answer, differs: earlier.fingerprint !== fingerprint };
    }
    if (unseen.occupy) keys.set(key, { fingerprint, answer: unit.answer, expiresAt: unseen.expiresAt });
    return undefined;
  }

  const settled: {
    [S in DeliveryState]: (delivery: ModelDelivery, settlement: Extract<Settlement, { state: S }>) => void;
  } = {
    waiting(delivery, { due, attempt }) {
      if (delivery.state === 'delivered') return;
      const attempts = delivery.state === 'dead' ? 0 : delivery.attempts + (attempt === undefined ? 0 : 1);
      Object.assign(delivery, { state: 'waiting', due, held: false, attempts });
    },
    parked(delivery) {
      if (undone(delivery)) Object.assign(delivery, { state: 'parked', held: false });
    },
    delivered(delivery) {
      if (undone(delivery)) delivery.state = 'delivered';
    },
    dead(delivery) {
      if (undone(delivery)) delivery.state = 'dead';
    },
  };

  return {
    /** What the unit must come to: a repeat's outcome, or undefined for a commit, which `wrote` then notes. */
    seen,
    wrote(unit: Unit, ids: readonly number[]): void {
      for (const [i, { trigger, due, held, parked }] of unit.deliveries.entries()) {
        deliveries.set(ids[i] ?? 0, {
          trigger,
          due,
          held,
          state: parked === undefined ? 'waiting' : 'parked',
          attempts: 0,
        });
      }
    },
    settle(settlement: Settlement): void {
      const delivery = deliveries.get(settlement.delivery);
      if (delivery !== undefined) settled[settlement.state](delivery, settlement as never);
    },
    /** Ids that a claim without bounds must give, with their attempts, in order of id. */
    claim(now: number): [number, number][] {
      const due = [...deliveries].filter(
        ([, each]) => each.state === 'waiting' && !each.held && each.due <= now,
      );
      for (const [, each] of due) each.held = true;
      return due.map(([id, { attempts }]): [number, number] => [id, attempts]).sort(([a], [b]) => a - b);
    },
    release(trigger: string, now: number): number {
      const parked = [...deliveries.values()].filter(
        (each) => each.state === 'parked' && each.trigger === trigger,
      );
      for (const each of parked) Object.assign(each, { state: 'waiting', due: now });
      return parked.length;
    },
    restart(): void {
      for (const each of deliveries.values()) each.held = false;
    },
    /** State by id, newest first. */
    states(): [number, DeliveryState][] {
      return [...deliveries]
        .map(([id, { state }]): [number, DeliveryState] => [id, state])
        .sort(([a], [b]) => b - a);
    },
    count: (state: DeliveryState): number =>
      [...deliveries.values()].filter((each) => each.state === state).length,
  };
}

function undone({ state }: ModelDelivery): boolean {
  return state === 'waiting' || state === 'parked';
}
