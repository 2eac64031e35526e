/** One place in a roster. */
export interface Seat<T> {
  readonly item: T;
  /** -1: it is free. */
  place: number;
}

/**
 * Who is under way, in no order. Not a Set: that one moves to a new table all the time where items come and go, and its old
 * tables keep alive what stood in them, so that V8 takes nearly everything for old. Full collections then come every
 * few seconds, and cost each its pause.
 */
export interface Roster<T> {
  readonly size: number;
  add(item: T): Seat<T>;
  /** Frees a seat; one that is free stays so. */
  remove(seat: Seat<T>): void;
  /** A copy: what ends meanwhile is in nobody's way. */
  items(): readonly T[];
  clear(): void;
}

/** Makes an empty roster. */
export function createRoster<T>(): Roster<T> {
  let seats: Seat<T>[] = [];
  return {
    get size() {
      return seats.length;
    },
    add(item) {
      const seat = { item, place: seats.length };
      seats.push(seat);
      return seat;
    },
    remove(seat) {
      const { place } = seat;
      if (place < 0) return;
      seat.place = -1;
      const last = seats.pop();
      if (last === undefined || last === seat) return;
      last.place = place;
      seats[place] = last;
    },
    items: () => seats.map(({ item }) => item),
    clear() {
      for (const seat of seats) seat.place = -1;
      seats = [];
    },
  };
}
