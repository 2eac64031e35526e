import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CloudEvent } from '../event/event.ts';
import type { Filter } from '../routing/table.ts';
import { buildIndex, type Indexed } from './index.ts';
import { matcherOf, testEvent } from './testing.ts';

const ATTRIBUTES = ['type', 'source', 'subject', 'region'];
const texts = fc
  .array(fc.constantFrom('a', 'b', 'ab', '.'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(''));
const pairs = fc.dictionary(fc.constantFrom(...ATTRIBUTES), texts, { minKeys: 1, maxKeys: 2 });

const comparison = fc
  .tuple(
    fc.constantFrom(...ATTRIBUTES),
    fc.constantFrom(
      "= '$'",
      "!= '$'",
      "LIKE '$%'",
      "LIKE '$'",
      "NOT LIKE '%$'",
      "IN ('$', 'a')",
      "NOT IN ('$')",
    ),
    texts,
  )
  .map(([attribute, operation, text]) => `${attribute} ${operation.replace('$', text)}`);
const cesql = fc
  .array(fc.tuple(fc.constantFrom('AND', 'OR', 'XOR', 'AND NOT'), comparison), { minLength: 1, maxLength: 4 })
  .map((terms) => terms.map(([word, term], i) => (i === 0 ? `(${term})` : `${word} (${term})`)).join(' '));

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    pairs.map((exact): Filter => ({ exact })),
    pairs.map((prefix): Filter => ({ prefix })),
    pairs.map((suffix): Filter => ({ suffix })),
    cesql.map((cesql): Filter => ({ cesql })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((all): Filter => ({ all })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 3 }).map((any): Filter => ({ any })),
    tie('filter').map((not): Filter => ({ not })),
  ),
}));
const triggers = fc.array(fc.array(filter, { maxLength: 2 }), { maxLength: 12 });
const events = fc.array(fc.dictionary(fc.constantFrom(...ATTRIBUTES), texts), { minLength: 1, maxLength: 6 });

function linear(items: readonly Indexed[], event: CloudEvent): readonly string[] {
  return items
    .filter((item) => item.matcher.matches(event))
    .map((item) => item.key)
    .toSorted();
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('buildIndex', () => {
  it('finds what asking each one finds, in the order of keys', () => {
    fc.assert(
      fc.property(triggers, events, fc.infiniteStream(fc.nat(1e6)), (lists, given, numbers) => {
        const items = lists.map((filters, i) => ({
          key: `${numbers.next().value}/${i}`,
          matcher: matcherOf(filters),
        }));
        const index = buildIndex(items);
        expect(index.size).toBe(items.length);
        for (const attributes of given) {
          const event = testEvent(attributes);
          expect(index.match(event).map((item) => item.key)).toEqual(linear(items, event));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('asks only those whose anchor the event meets, however many others there are', () => {
    let asked = 0;
    const items = Array.from({ length: 10_000 }, (_, i) => {
      const matcher = matcherOf(
        i % 2 === 0 ? [{ exact: { type: `t.${i}` } }] : [{ prefix: { type: `t.${i}.` } }],
      );
      const matches = (event: CloudEvent) => {
        asked++;
        return matcher.matches(event);
      };
      return { key: `ns/${String(i).padStart(5, '0')}`, matcher: { ...matcher, matches } };
    });
    const index = buildIndex(items);
    expect(index.match(testEvent({ type: 't.5000' })).map((item) => item.key)).toEqual(['ns/05000']);
    expect(index.match(testEvent({ type: 't.5001.x' })).map((item) => item.key)).toEqual(['ns/05001']);
    expect(index.match(testEvent({ type: 'other' }))).toEqual([]);
    expect(asked).toBe(2);
  });

  it('files under the anchor that fewest share', () => {
    let asked = 0;
    const items = Array.from({ length: 1000 }, (_, i) => {
      const matcher = matcherOf([{ exact: { type: 'order.created', subject: `order-${i}` } }]);
      const matches = (event: CloudEvent) => {
        asked++;
        return matcher.matches(event);
      };
      return { key: `ns/${i}`, matcher: { ...matcher, matches } };
    });
    expect(buildIndex(items).match(testEvent({ type: 'order.created', subject: 'order-7' }))).toHaveLength(1);
    expect(asked).toBe(1);
  });

  it('stays right when it has seen more values than it remembers', () => {
    const items = ['a', 'ab', 'b'].map((type) => ({
      key: `ns/${type}`,
      matcher: matcherOf([{ prefix: { type } }]),
    }));
    const index = buildIndex(items);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 1500; i++) {
        expect(index.match(testEvent({ type: `ab${i}` })).map((item) => item.key)).toEqual(['ns/a', 'ns/ab']);
      }
    }
  });

  it('keeps no long values of events that are gone', () => {
    const index = buildIndex([{ key: 'ns/a', matcher: matcherOf([{ prefix: { subject: 'a' } }]) }]);
    const before = heapUsed();
    for (let i = 0; i < 500; i++) {
      const subject = Buffer.alloc(200_000, `a${i} `).toString('latin1');
      expect(index.match(testEvent({ subject }))).toHaveLength(1);
    }
    expect(heapUsed() - before).toBeLessThan(50_000_000);
    // The index is in use still, and with it what it keeps.
    expect(index.match(testEvent({ subject: 'b' }))).toEqual([]);
  });

  it('gives one trigger once, though several of its values fit', () => {
    const filters = [{ any: [{ prefix: { type: 'a' } }, { prefix: { type: 'ab' } }] }];
    const index = buildIndex([{ key: 'ns/x', matcher: matcherOf(filters) }]);
    expect(index.match(testEvent({ type: 'abc' }))).toHaveLength(1);
  });
});
