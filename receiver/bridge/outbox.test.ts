import { describe, expect, it } from 'vitest';
import { CloudEvent } from '../event/event.ts';
import { createOutbox, type Parcel } from './outbox.ts';

function event(id: string): CloudEvent {
  return new CloudEvent({ specversion: '1.0', id, type: 't', source: 's' }, undefined, () => undefined);
}

function parcel(...ids: string[]): Parcel {
  return { events: ids.map(event) };
}

function idsOf(parcels: readonly Parcel[]): readonly string[] {
  return parcels.flatMap(
    ({ events, page }) => events?.map(({ id }) => id).concat(page ? ['|'] : []) ?? ['?'],
  );
}

describe('an outbox', () => {
  it('gives out in order what is whole, and waits for what is not', () => {
    const outbox = createOutbox();
    const late: Parcel = { events: undefined };
    outbox.push(parcel('a', 'b'));
    outbox.push(late);
    outbox.push(parcel('d'));
    expect(outbox.holds(2)).toBe(true);
    expect(outbox.holds(3)).toBe(false);
    expect(idsOf(outbox.take(10))).toEqual(['a', 'b']);
    expect(idsOf(outbox.take(10))).toEqual([]);
    late.events = [event('c')];
    expect(outbox.holds(2)).toBe(true);
    expect(idsOf(outbox.take(1))).toEqual(['c']);
    expect(outbox.size).toBe(1);
    expect(outbox.holds(2)).toBe(false);
    expect(idsOf(outbox.take(1))).toEqual(['d']);
  });

  it('gives out the end of a page together with its last event', () => {
    const outbox = createOutbox();
    for (const id of ['a', 'b']) outbox.push(parcel(id));
    outbox.push({ events: [], page: { cursor: '2', safe: () => undefined } });
    outbox.push(parcel('c'));
    expect(idsOf(outbox.take(2))).toEqual(['a', 'b', '|']);
  });

  it('loses none of many, however they are taken', () => {
    const outbox = createOutbox();
    const taken: string[] = [];
    for (let i = 0; i < 5000; i++) {
      outbox.push(parcel(String(i)));
      if (i % 7 === 0) taken.push(...idsOf(outbox.take(5)));
    }
    while (outbox.size > 0) taken.push(...idsOf(outbox.take(500)));
    expect(taken).toEqual(Array.from({ length: 5000 }, (_, i) => String(i)));
    expect(outbox.holds(1)).toBe(false);
  });
});
