import { type Arrival, heldDeliveries, type Takers, unitOf } from '../acceptance.ts';
import type { HeldDelivery } from '../deliver/engine-contract.ts';
import type { CloudEvent } from '../event/event.ts';
import type { NewDelivery, Settlement, Unit, UnitOutcome } from '../journal/journal.ts';
import { revive } from './kept.ts';
import type { Copy, Ledger, PlannedDelivery, Redriven } from './ledger.ts';

/** A unit, and the event whose deliveries it makes. */
export interface PlannedUnit {
  readonly unit: Unit;
  readonly event: CloudEvent | undefined;
  readonly entrance: string;
  readonly doomed: readonly (string | undefined)[];
  /** Dead letters that it brings back. */
  readonly redriven?: readonly Redriven[];
}

/** What making units needs to know. */
export interface Making {
  readonly now: number;
  readonly revision: number;
  /** Whether memory holds the deliveries. */
  readonly room: boolean;
  /** Why a step of a trigger may not deliver now. */
  readonly parked: (trigger: string, step: string | undefined) => string | undefined;
}

/** The unit of an event that arrived, after those of the copies that its decision makes. */
export function arrivalUnits(
  event: CloudEvent,
  takers: Takers,
  arrival: Arrival,
  plain: readonly NewDelivery[],
  { ledger, making, more }: { readonly ledger: Ledger; readonly making: Making; readonly more?: object },
): readonly PlannedUnit[] {
  const deliveries = [...plain, ...ledger.deliveries.map((planned) => deliveryOf(planned, making))];
  const whole = unitOf(event, takers, arrival, deliveries, more);
  const { redriven } = ledger;
  const unit: Unit = {
    ...whole,
    rows: ledger.rows(),
    ...(redriven.length === 0 ? {} : { settlements: waiting(redriven, making) }),
  };
  const doomed = [...plain.map(() => undefined), ...ledger.deliveries.map((planned) => planned.doomed)];
  const main = { unit, event, entrance: arrival.entrance, doomed, redriven };
  // A repeat of the event writes nothing: its copies neither.
  const unseen = unit.unseen && { ...unit.unseen, occupy: false };
  return [...copyUnits(ledger.copies, ledger, making, unseen), main];
}

/** The units of a change that no event brought. */
export function changeUnits(
  ledger: Ledger,
  settlements: readonly Settlement[],
  making: Making,
): readonly PlannedUnit[] {
  const copies = [...ledger.copies];
  const last = copies.pop();
  const main = last === undefined ? NO_EVENT : copyUnit(last, making);
  const unit: Unit = {
    ...main.unit,
    rows: ledger.rows(),
    settlements: [...settlements, ...waiting(ledger.redriven, making)],
  };
  return [...copyUnits(copies, ledger, making), { ...main, unit, redriven: ledger.redriven }];
}

function waiting(redriven: readonly Redriven[], { now }: Making): readonly Settlement[] {
  return redriven.map(({ delivery }) => ({ delivery, state: 'waiting', due: now }));
}

const NO_EVENT: PlannedUnit = {
  unit: { deliveries: [], answer: '' },
  event: undefined,
  entrance: '',
  doomed: [],
};

/**
 * Copies go before the unit that they belong to and expect the same of the same rows: in one transaction, either all of
 * them are written or none is.
 */
function copyUnits(
  copies: readonly Copy[],
  ledger: Ledger,
  making: Making,
  unseen?: Unit['unseen'],
): readonly PlannedUnit[] {
  return copies.map((copy) => {
    const { unit, ...planned } = copyUnit(copy, making);
    return {
      ...planned,
      unit: { ...unit, rows: ledger.checks(), ...(unseen === undefined ? {} : { unseen }) },
    };
  });
}

function copyUnit({ event: kept, entrance, instance, delivery }: Copy, making: Making): PlannedUnit {
  const event = revive(kept);
  const { now, revision } = making;
  const record = {
    revision,
    triggers: [delivery.trigger],
    ...(instance === undefined ? {} : { instances: [instance] }),
  };
  return {
    unit: {
      event: {
        entrance,
        receivedAt: now,
        attributes: JSON.stringify(event.attributes),
        data: event.body,
        record: JSON.stringify(record),
      },
      deliveries: [deliveryOf(delivery, making)],
      answer: '',
    },
    event,
    entrance,
    doomed: [delivery.doomed],
  };
}

function deliveryOf(
  { trigger, shape, task, step, doomed }: PlannedDelivery,
  { now, room, parked }: Making,
): NewDelivery {
  // What is a dead letter already is handed over in any case: nobody else knows that it is one.
  if (doomed !== undefined) return { trigger, shape: shape.hash, due: now, held: true, task };
  const why = parked(trigger, step);
  return { trigger, shape: shape.hash, due: now, held: room && why === undefined, parked: why, task };
}

/** The deliveries of units that were committed, as the engine holds them. */
export function handed(
  planned: readonly PlannedUnit[],
  outcomes: readonly UnitOutcome[],
  now: number,
): readonly HeldDelivery[] {
  return planned.flatMap(({ unit, event, entrance, doomed }, i) => {
    const outcome = outcomes[i];
    if (event === undefined || outcome?.outcome !== 'committed') return [];
    return heldDeliveries(event, { entrance, now }, unit, outcome.deliveries, doomed);
  });
}
