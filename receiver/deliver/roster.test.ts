import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRoster, type Seat } from './roster.ts';

it('holds what was added and not removed, as a Set would', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const) }),
    fc.record({ kind: fc.constant('remove' as const), which: fc.nat(40) }),
    fc.record({ kind: fc.constant('clear' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const roster = createRoster<number>();
      const expected = new Set<number>();
      const seats: Seat<number>[] = [];
      for (const each of steps) {
        if (each.kind === 'add') {
          expected.add(seats.length);
          seats.push(roster.add(seats.length));
        } else if (each.kind === 'clear') {
          roster.clear();
          expected.clear();
        } else {
          const seat = seats[each.which];
          if (seat === undefined) continue;
          roster.remove(seat);
          expected.delete(seat.item);
        }
        expect(roster.size).toBe(expected.size);
        expect(roster.items().toSorted((a, b) => a - b)).toEqual([...expected]);
      }
    }),
  );
});

it('can be emptied while its items are gone through', () => {
  const roster = createRoster<string>();
  const seats = new Map(['a', 'b', 'c'].map((name) => [name, roster.add(name)]));
  const seen: string[] = [];
  for (const item of roster.items()) {
    seen.push(item);
    for (const seat of seats.values()) roster.remove(seat);
  }
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(roster.size).toBe(0);
});
