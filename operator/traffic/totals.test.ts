import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TrafficItem } from '../../receiver/observe/traffic.ts';
import type { InstanceCounts } from '../../receiver/streams/instance-counts.ts';
import { createTotals } from './totals.ts';

const RESOURCE = 'EventTrigger/shop/pack';
const item = (delivered: number, backlog = 0): TrafficItem => ({
  resource: RESOURCE,
  uid: 'u',
  lastEvent: 1_700_000_000_500,
  delivered,
  failed: 0,
  backlog,
});

describe('totals', () => {
  it('add up receivers, and tell times in seconds', () => {
    const totals = createTotals();
    totals.told('a', [item(2, 1)]);
    totals.told('b', [item(3, 4)]);
    expect(totals.of(RESOURCE)).toEqual({
      lastEvent: '2023-11-14T22:13:20Z',
      delivered: 5,
      failed: 0,
      backlog: 5,
    });
  });

  const counting = (journal: string | undefined, instances: InstanceCounts): TrafficItem => ({
    ...item(1),
    instances,
    ...(journal === undefined ? {} : { journal }),
  });

  it('tell instances as the receivers of one journal do, and not their sum', () => {
    const totals = createTotals();
    totals.told('a', [counting('j', { waiting: 5, finished: 1 })]);
    totals.told('b', [counting('j', { waiting: 4, finished: 2 })]);
    expect(totals.of(RESOURCE)).toMatchObject({ instances: { waiting: 5, finished: 2 } });
    totals.told('a', [item(1)]);
    totals.told('b', [item(1)]);
    expect(totals.of(RESOURCE)).not.toHaveProperty('instances');
  });

  it('add up the instances of receivers that have a journal each', () => {
    const totals = createTotals();
    totals.told('a', [counting(undefined, { waiting: 5, finished: 1 })]);
    totals.told('b', [counting(undefined, { waiting: 4 })]);
    expect(totals.of(RESOURCE)?.instances).toEqual({ waiting: 9, finished: 1 });
    totals.retain(new Set(['b']));
    expect(totals.of(RESOURCE)?.instances).toEqual({ waiting: 4 });
  });

  it('tell a backlog as the receivers of one journal do, and add up those of distinct ones', () => {
    const totals = createTotals();
    totals.told('a', [{ ...item(1, 5), journal: 'j' }]);
    totals.told('b', [{ ...item(2, 4), journal: 'j' }]);
    expect(totals.of(RESOURCE)).toMatchObject({ delivered: 3, backlog: 5 });
    totals.told('c', [{ ...item(0, 2), journal: 'k' }]);
    expect(totals.of(RESOURCE)).toMatchObject({ delivered: 3, backlog: 7 });
  });

  it('add up distinct journals, each as its receivers count it', () => {
    const totals = createTotals();
    totals.told('a', [counting('old', { waiting: 5 })]);
    totals.told('b', [counting('new', { waiting: 1 })]);
    totals.told('c', [counting('new', { waiting: 2 })]);
    expect(totals.of(RESOURCE)?.instances).toEqual({ waiting: 7 });
  });

  it('never fall, and count each delivery once, whatever receivers come, go and begin anew', () => {
    const step = fc.record({
      receiver: fc.constantFrom('a', 'b'),
      does: fc.constantFrom('deliver', 'restart', 'leave'),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const totals = createTotals();
        const counts = new Map<string, number>();
        let made = 0;
        for (const { receiver, does } of steps) {
          if (does === 'deliver') {
            made += 1;
            counts.set(receiver, (counts.get(receiver) ?? 0) + 1);
            totals.told(receiver, [item(counts.get(receiver) ?? 0)]);
          } else {
            counts.delete(receiver);
            if (does === 'restart') totals.told(receiver, []);
            else totals.retain(new Set(counts.keys()));
          }
          expect(totals.of(RESOURCE)?.delivered ?? 0).toBe(made);
        }
      }),
    );
  });

  it('do not count what waits with a receiver that is gone', () => {
    const totals = createTotals();
    totals.told('a', [item(1, 9)]);
    totals.retain(new Set());
    expect(totals.of(RESOURCE)).toMatchObject({ delivered: 1 });
    expect(totals.of(RESOURCE)?.backlog ?? 0).toBe(0);
  });

  it('do not fall behind what a status said before, nor count it twice', () => {
    const totals = createTotals();
    totals.told('a', [item(3)]);
    totals.before(RESOURCE, 'u', { delivered: 10, lastEvent: '2030-01-01T00:00:00Z' });
    expect(totals.of(RESOURCE)).toMatchObject({ delivered: 10, lastEvent: '2030-01-01T00:00:00Z' });
    totals.told('a', [item(4)]);
    expect(totals.of(RESOURCE)).toMatchObject({ delivered: 11 });
  });

  it('begin anew with another resource of the same name', () => {
    const totals = createTotals();
    totals.told('a', [item(3)]);
    totals.told('a', [{ ...item(1), uid: 'another' }]);
    expect(totals.of(RESOURCE)).toMatchObject({ delivered: 1 });
  });
});
