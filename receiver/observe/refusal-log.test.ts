import { describe, expect, it } from 'vitest';
import { refusalBounds } from './refusal-bounds.ts';
import { createRefusalLog, type RefusalLog } from './refusal-log.ts';
import { newestOf } from './refusal-query.ts';
import { refusal } from './refusal-testing.ts';

const open = (perShare: number, shares: number): RefusalLog =>
  createRefusalLog({ perShare, shares }, '0badc0de');
const kept = (log: RefusalLog) => newestOf(log.all(), 1000);
const changed = (log: RefusalLog, most: number) => log.takeChanged(most).map(({ entrance }) => entrance);

describe('the log of refusals', () => {
  it('keeps the newest', () => {
    const log = open(3, 10);
    for (let at = 1; at <= 5; at++) log.add(refusal({ at }));
    expect(kept(log).map(({ at }) => at)).toEqual([5, 4, 3]);
  });

  it('lets no flood of unproved requests push out the rest', () => {
    const log = open(3, 10);
    log.add(refusal({ at: 1, key: 'current', code: 'invalid_event' }));
    log.add(refusal({ at: 2, entrance: 'WebhookSecret/shop/other' }));
    for (let at = 3; at <= 1000; at++) log.add(refusal({ at }));
    expect(kept(log).map(({ at }) => at)).toEqual([1000, 999, 998, 2, 1]);
  });

  it('forgets the entrance that was quiet for the longest time, and that it had changed', () => {
    const log = open(1, 2);
    for (const entrance of ['a', 'b', 'a', 'c']) log.add(refusal({ entrance }));
    expect(kept(log).map(({ entrance }) => entrance)).toEqual(['c', 'a']);
    expect(changed(log, 9)).toEqual(['a', 'c']);
  });

  it('gives ids that sort by time, then by order, and are no other receiver’s', () => {
    const [one, other] = [
      createRefusalLog(refusalBounds(), '00000001'),
      createRefusalLog(refusalBounds(), '00000002'),
    ];
    for (const at of [1_800_000_000_000, 255, 1_800_000_000_000]) {
      one.add(refusal({ at }));
      other.add(refusal({ at }));
    }
    const ids = [...one.all(), ...other.all()].map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
    const [first = '', early = '', second = ''] = ids;
    expect([early < first, first < second]).toEqual([true, true]);
    expect(ids.every((id) => /^[0-9a-f]{26}$/.test(id))).toBe(true);
  });

  it('gives out what changed once, which waits for the longest time first', () => {
    const log = open(2, 10);
    for (const entrance of ['a', 'b', 'c', 'a', 'a']) log.add(refusal({ entrance }));
    const shares = log.takeChanged(2);
    expect(shares.map(({ entrance, refusals }) => [entrance, refusals.length])).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    log.giveBack(shares.slice(0, 1));
    log.add(refusal({ entrance: 'c', key: 'current' }));
    expect(log.takeChanged(9).map(({ entrance, proved }) => [entrance, proved])).toEqual([
      ['c', false],
      ['a', false],
      ['c', true],
    ]);
    expect(log.takeChanged(9)).toEqual([]);
  });

  it('cuts long texts', () => {
    const log = open(3, 10);
    log.add(refusal({ event: 'x'.repeat(1000), cause: 'y'.repeat(1000) }));
    const [cut] = kept(log);
    expect(cut?.event).toHaveLength(201);
    expect(cut?.cause).toHaveLength(501);
  });
});
