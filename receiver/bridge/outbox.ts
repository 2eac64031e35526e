import type { CloudEvent } from '../event/event.ts';
import type { Standing, StateChange } from './reading.ts';

/** What a bridge wants in the journal: the events of one message, or the place where a page of them ends. */
export interface Parcel {
  /** undefined while they wait for what their job adds. */
  events: readonly CloudEvent[] | undefined;
  readonly change?: StateChange | undefined;
  readonly standing?: Standing | undefined;
  readonly attempt?: number | undefined;
  /** All before it is safe once this is. */
  readonly page?: { readonly cursor: string | undefined; readonly next: () => void };
}

/** Events that wait to be written, in the order in which they came. */
export interface Outbox {
  push(parcel: Parcel): void;
  /** Takes from the head what is whole, up to so many events. */
  take(most: number): readonly Parcel[];
  readonly size: number;
}

/** Makes an empty one. */
export function createOutbox(): Outbox {
  let parcels: Parcel[] = [];
  let head = 0;
  return {
    push: (parcel) => void parcels.push(parcel),
    take(most) {
      const from = head;
      let events = 0;
      while (head < parcels.length && events < most) {
        const next = parcels[head]?.events;
        if (next === undefined) break;
        events += next.length;
        head += 1;
      }
      const taken = parcels.slice(from, head);
      if (head > 1024 && head * 2 > parcels.length) {
        parcels = parcels.slice(head);
        head = 0;
      }
      return taken;
    },
    get size() {
      return parcels.length - head;
    },
  };
}
