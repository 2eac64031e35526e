import { describe, expect, it } from 'vitest';
import { explainTrigger } from './explain.ts';
import { matcherOf, testEvent } from './testing.ts';

describe('explainTrigger', () => {
  const matcher = matcherOf({
    filters: [{ exact: { type: 'order.paid', region: 'eu' } }],
    condition: 'data.amount > 10.0',
  });

  it('names the clauses that said no, and only those', () => {
    const event = testEvent({ type: 'order.paid', region: 'us' }, { amount: 5.5 });
    expect(explainTrigger({ key: 'shop/pack', matcher }, event)).toEqual({
      trigger: 'shop/pack',
      takes: false,
      no: [
        { field: 'spec.filters[0].exact.region', because: 'region "us" is not "eu"' },
        { field: 'spec.condition', because: 'the condition is false' },
      ],
    });
  });

  it('names none where the trigger takes the event', () => {
    const event = testEvent({ type: 'order.paid', region: 'eu' }, { amount: 11.5 });
    expect(explainTrigger({ key: 'shop/pack', matcher }, event)).toEqual({
      trigger: 'shop/pack',
      takes: true,
      no: [],
    });
  });
});
