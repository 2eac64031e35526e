import { hash } from 'node:crypto';
import type { Journal, NewDelivery, RowWrite, Settlement, Unit, UnitOutcome } from './journal.ts';

const DAY = 86_400_000;

/** A unit of work as a test wants it; what is left out has a default. */
export interface Wanted {
  readonly at: number;
  /** Makes a unit that expects its key unseen. */
  readonly key?: string;
  readonly fingerprint?: string;
  /** Default: a day. */
  readonly window?: number;
  readonly occupy?: boolean;
  readonly answer?: string;
  readonly attributes?: string;
  readonly data?: Uint8Array | undefined;
  readonly record?: string;
  readonly triggers?: readonly string[];
  readonly shape?: string;
  readonly due?: number;
  readonly held?: boolean;
  readonly parked?: string;
  readonly task?: string;
  readonly line?: string;
  readonly rows?: readonly RowWrite[];
  readonly settlements?: readonly Settlement[];
}

/** Makes a unit for a test. */
export function unit(wanted: Wanted): Unit {
  const { at, rows, settlements } = wanted;
  const unseen = unseenOf(wanted);
  return {
    ...(unseen === undefined ? {} : { unseen }),
    event: {
      entrance: 'EventTrigger/a/x',
      receivedAt: at,
      attributes: wanted.attributes ?? '{"id":"1","source":"/s","type":"t"}',
      data: 'data' in wanted ? wanted.data : Buffer.from('{}'),
      record: wanted.record ?? '{}',
    },
    deliveries: deliveriesOf(wanted),
    ...(rows === undefined ? {} : { rows }),
    ...(settlements === undefined ? {} : { settlements }),
    answer: wanted.answer ?? '[]',
  };
}

function unseenOf({ at, key, fingerprint = '', window = DAY, occupy = true }: Wanted): Unit['unseen'] {
  if (key === undefined) return undefined;
  return {
    key: digest(key).subarray(0, 16),
    fingerprint: digest(fingerprint).subarray(0, 8),
    expiresAt: at + window,
    occupy,
  };
}

function deliveriesOf(wanted: Wanted): readonly NewDelivery[] {
  const { at, triggers = [], shape = 'shape', due = at, held = false, parked, task, line } = wanted;
  return triggers.map((trigger) => ({ trigger, shape, due, held, parked, task, line }));
}

/** Commits and awaits. */
export function commit(journal: Journal, units: readonly Unit[]): Promise<readonly UnitOutcome[]> {
  return new Promise((resolve, reject) => {
    journal.commit(units, (error, outcomes) => (error === undefined ? resolve(outcomes) : reject(error)));
  });
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
