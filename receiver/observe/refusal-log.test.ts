import { describe, expect, it } from 'vitest';
import type { Refusal } from './refusal.ts';
import { createRefusalLog, REFUSALS_KEPT } from './refusal-log.ts';

function refusal(over: Partial<Refusal> = {}): Refusal {
  return {
    at: 1000,
    entrance: 'WebhookSecret/shop/hooks',
    status: 401,
    code: 'unauthorized',
    cause: 'the signature does not fit',
    bytes: 10,
    ...over,
  };
}

const ALL = { limit: 1000 };

describe('the log of refusals', () => {
  it('keeps the newest, and lists them newest first', () => {
    const log = createRefusalLog({ perEntrance: 3, entrances: 10 });
    for (let at = 1; at <= 5; at++) log.add(refusal({ at }));
    expect(log.list(ALL).items.map(({ at }) => at)).toEqual([5, 4, 3]);
  });

  it('lets no flood of unproved requests push out the rest', () => {
    const log = createRefusalLog({ perEntrance: 3, entrances: 10 });
    log.add(refusal({ at: 1, key: 'current', code: 'invalid_event' }));
    log.add(refusal({ at: 2, entrance: 'WebhookSecret/shop/other' }));
    for (let at = 3; at <= 1000; at++) log.add(refusal({ at }));
    expect(log.list(ALL).items.map(({ at }) => at)).toEqual([1000, 999, 998, 2, 1]);
  });

  it('forgets the entrance that was quiet for the longest time', () => {
    const log = createRefusalLog({ perEntrance: 1, entrances: 1 });
    for (const entrance of ['a', 'b', 'a', 'c']) log.add(refusal({ entrance }));
    expect(log.list(ALL).items.map(({ entrance }) => entrance)).toEqual(['c', 'a']);
  });

  it('pages, and narrows by what is asked for', () => {
    const log = createRefusalLog(REFUSALS_KEPT);
    for (let at = 1; at <= 5; at++) log.add(refusal({ at, event: `evt-${at}`, code: at > 3 ? 'b' : 'a' }));
    const first = log.list({ limit: 2 });
    expect(first.items.map(({ at }) => at)).toEqual([5, 4]);
    const second = log.list({ limit: 3, cursor: first.next ?? '' });
    expect(second).toMatchObject({ items: [{ at: 3 }, { at: 2 }, { at: 1 }] });
    expect(second.next).toBeUndefined();
    expect(log.list({ ...ALL, code: 'b', until: 4 }).items).toMatchObject([{ at: 4 }]);
    expect(log.list({ ...ALL, id: 'evt-2' }).items).toMatchObject([{ at: 2 }]);
    expect(log.list({ ...ALL, entrance: 'elsewhere' }).items).toEqual([]);
    expect(log.list({ ...ALL, since: 5 }).items).toMatchObject([{ at: 5 }]);
  });

  it('cuts long texts', () => {
    const log = createRefusalLog(REFUSALS_KEPT);
    log.add(refusal({ event: 'x'.repeat(1000), cause: 'y'.repeat(1000) }));
    const [kept] = log.list(ALL).items;
    expect(kept?.event).toHaveLength(201);
    expect(kept?.cause).toHaveLength(501);
  });
});
