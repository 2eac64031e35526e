import type { Page } from '../journal/journal.ts';
import type { Refusal } from './refusal.ts';

/** A refusal as it is kept. `id` grows with every refusal since the receiver started. */
export interface KeptRefusal extends Refusal {
  readonly id: number;
}

/** What the list of refusals can be narrowed by; `since` and `until` are times of refusal. */
export interface RefusalQuery {
  readonly entrance?: string;
  readonly code?: string;
  /** The event's id. */
  readonly id?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  /** Where the last page ended: its `next`. */
  readonly cursor?: string;
}

/** The newest refusals, in memory. */
export interface RefusalLog {
  add(refusal: Refusal): void;
  /** Newest first. */
  list(query: RefusalQuery): Page<KeptRefusal>;
}

/** How much is kept. */
export interface RefusalBounds {
  /** Refusals of requests that were proved, and as many of those that were not, for each entrance. */
  readonly perEntrance: number;
  /** Entrances; the one that refused nothing for the longest time goes first. */
  readonly entrances: number;
}

/** Some 10 MB where every one of them is full. */
export const REFUSALS_KEPT: RefusalBounds = { perEntrance: 50, entrances: 500 };

const LONGEST_ID = 200;
const LONGEST_CAUSE = 500;

/** The newest of one entrance, oldest first from `next` on. */
interface Ring {
  readonly kept: KeptRefusal[];
  next: number;
}

/**
 * Keeps what was refused. Every entrance has its own share, and what anyone can send has another than what was proved, so
 * that a flood at one door hides nothing that happened at another, nor what became of true senders.
 */
export function createRefusalLog(bounds: RefusalBounds): RefusalLog {
  /** In the order of their last refusal. */
  const rings = new Map<string, Ring>();
  let last = 0;

  function ringOf({ entrance, key }: Refusal): Ring {
    const name = key === undefined ? `?${entrance}` : entrance;
    const ring = rings.get(name) ?? { kept: [], next: 0 };
    rings.delete(name);
    rings.set(name, ring);
    if (rings.size > bounds.entrances * 2) {
      const [oldest = ''] = rings.keys();
      rings.delete(oldest);
    }
    return ring;
  }

  return {
    add(refusal) {
      const ring = ringOf(refusal);
      ring.kept[ring.next] = trimmed(refusal, ++last);
      ring.next = (ring.next + 1) % bounds.perEntrance;
    },
    list(query) {
      const before = query.cursor === undefined ? Number.POSITIVE_INFINITY : Number(query.cursor);
      const found = [...rings.values()]
        .flatMap(({ kept }) => kept)
        .filter((refusal) => refusal.id < before && fits(refusal, query))
        .sort((a, b) => b.id - a.id);
      const items = found.slice(0, query.limit);
      const end = items.at(-1)?.id;
      return found.length > items.length && end !== undefined ? { items, next: String(end) } : { items };
    },
  };
}

function trimmed(refusal: Refusal, id: number): KeptRefusal {
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

function fits(refusal: KeptRefusal, { entrance, code, id, since, until }: RefusalQuery): boolean {
  return (
    (entrance === undefined || refusal.entrance === entrance) &&
    (code === undefined || refusal.code === code) &&
    (id === undefined || refusal.event === id) &&
    (since === undefined || refusal.at >= since) &&
    (until === undefined || refusal.at <= until)
  );
}
