import type { CloudEvent } from '../event/event.ts';
import type { Standing } from './reading.ts';

/** What a bridge wants in the journal: the events of one message, or the place where a page of them ends. */
export interface Parcel {
  /** undefined while they wait for what their job adds. */
  events: readonly CloudEvent[] | undefined;
  readonly standing?: Standing | undefined;
  readonly attempt?: number | undefined;
  /** All before it is safe once this is. */
  readonly page?: { readonly cursor: string | undefined; readonly safe: () => void };
}

/** Events that wait to be written, in the order in which they came. */
export interface Outbox {
  push(parcel: Parcel): void;
  /** Takes from the head what is whole, up to so many events; and the end of their page, where that follows. */
  take(most: number): readonly Parcel[];
  /** Whether so many events are whole, from the head on. */
  holds(events: number): boolean;
  readonly size: number;
}

/** Makes an empty one. */
export function createOutbox(): Outbox {
  let parcels: Parcel[] = [];
  let head = 0;
  /** Up to here they were seen to be whole, and have so many events. */
  let whole = 0;
  let events = 0;

  function look(): void {
    for (let next = parcels[whole]?.events; next !== undefined; next = parcels[whole]?.events) {
      events += next.length;
      whole += 1;
    }
  }

  return {
    push: (parcel) => void parcels.push(parcel),
    take(most) {
      look();
      const from = head;
      for (let taken = 0; head < whole; head += 1) {
        const more = parcels[head]?.events?.length ?? 0;
        if (taken >= most && more > 0) break;
        taken += more;
        events -= more;
      }
      const taken = parcels.slice(from, head);
      if (head > 1024 && head * 2 > parcels.length) {
        parcels = parcels.slice(head);
        whole -= head;
        head = 0;
      }
      return taken;
    },
    holds(wanted) {
      look();
      return events >= wanted;
    },
    get size() {
      return parcels.length - head;
    },
  };
}
