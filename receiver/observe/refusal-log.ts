import type { Refusal } from './refusal.ts';
import type { RefusalBounds } from './refusal-bounds.ts';

/** A refusal as it is kept. */
export interface KeptRefusal extends Refusal {
  /** Sorts by time, and is no other refusal's, whichever receiver refused it. */
  readonly id: string;
}

/** The newest refusals at one entrance: of requests that were proved, or of those that were not. */
export interface RefusalShare {
  readonly entrance: string;
  readonly proved: boolean;
  /** In no order. */
  readonly refusals: readonly KeptRefusal[];
}

/** The newest refusals of this receiver, in memory. */
export interface RefusalLog {
  add(refusal: Refusal): void;
  /** In no order. */
  all(): readonly KeptRefusal[];
  /** Up to `most` shares that have changed since they were taken; which waits for the longest time comes first. */
  takeChanged(most: number): readonly RefusalShare[];
  /** They count as changed again, behind the others. */
  giveBack(shares: readonly RefusalShare[]): void;
}

const LONGEST_ID = 200;
const LONGEST_CAUSE = 500;
/** Those of one millisecond are told apart, and put in order, by their number. */
const NUMBERS = 1 << 24;

interface Ring {
  readonly entrance: string;
  readonly proved: boolean;
  readonly kept: KeptRefusal[];
  /** The oldest, where it is full. */
  next: number;
}

/**
 * Keeps what was refused. Every entrance has its own share, and what anyone can send has another than what was proved, so
 * that a flood at one door hides nothing that happened at another, nor what became of true senders. `receiver` is of eight
 * hexadecimal digits and no other receiver's.
 */
export function createRefusalLog(
  bounds: Pick<RefusalBounds, 'perShare' | 'shares'>,
  receiver: string,
): RefusalLog {
  /** In the order of their last refusal. */
  const rings = new Map<string, Ring>();
  /** Names of rings, in the order in which they changed first. */
  const changed = new Set<string>();
  let count = 0;

  function ringOf(name: string, { entrance, key }: Refusal): Ring {
    const ring = rings.get(name) ?? { entrance, proved: key !== undefined, kept: [], next: 0 };
    rings.delete(name);
    rings.set(name, ring);
    if (rings.size > bounds.shares) {
      const [oldest = ''] = rings.keys();
      rings.delete(oldest);
      changed.delete(oldest);
    }
    return ring;
  }

  function idOf(at: number): string {
    count = (count + 1) % NUMBERS;
    return hex(at, 12) + hex(count, 6) + receiver;
  }

  return {
    add(refusal) {
      const name = nameOf(refusal.entrance, refusal.key !== undefined);
      const ring = ringOf(name, refusal);
      ring.kept[ring.next] = trimmed(refusal, idOf(refusal.at));
      ring.next = (ring.next + 1) % bounds.perShare;
      changed.add(name);
    },
    all: () => [...rings.values()].flatMap(({ kept }) => kept),
    takeChanged(most) {
      const taken: RefusalShare[] = [];
      for (const name of changed) {
        if (taken.length === most) break;
        changed.delete(name);
        const ring = rings.get(name);
        if (ring !== undefined)
          taken.push({ entrance: ring.entrance, proved: ring.proved, refusals: [...ring.kept] });
      }
      return taken;
    },
    giveBack(shares) {
      for (const { entrance, proved } of shares) {
        const name = nameOf(entrance, proved);
        if (rings.has(name)) changed.add(name);
      }
    },
  };
}

function nameOf(entrance: string, proved: boolean): string {
  return proved ? entrance : `?${entrance}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function trimmed(refusal: Refusal, id: string): KeptRefusal {
  const { event, cause } = refusal;
  return {
    id,
    ...refusal,
    cause: cut(cause, LONGEST_CAUSE),
    ...(event === undefined ? {} : { event: cut(event, LONGEST_ID) }),
  };
}

/** A copy of a long text's beginning: a mere slice would keep the whole of it in memory. */
function cut(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(`${text.slice(0, length)}…`).toString();
}
