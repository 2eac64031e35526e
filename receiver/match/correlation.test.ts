import { describe, expect, it } from 'vitest';
import { compileCorrelation } from './correlation.ts';
import { testEvent } from './testing.ts';

const data = {
  id: 'A-1',
  number: 7,
  exact: 7.5,
  yes: true,
  none: null,
  empty: '',
  list: [1],
  long: 'x'.repeat(2000),
};

describe('compileCorrelation', () => {
  it.each([
    ['data.id', 'A-1'],
    ['event.subject', 's-1'],
    ['data.id + "/" + event.subject', 'A-1/s-1'],
    ['data.number', '7'],
    ['string(data.number)', '7'],
    ['7', '7'],
    ['data.exact', '7.5'],
    ['data.yes', 'true'],
  ])('%s is the key %s', (source, key) => {
    const correlate = compileCorrelation(source, 'spec.correlate');
    expect(correlate.ok && correlate.value(testEvent({ subject: 's-1' }, data))).toEqual({ ok: true, key });
  });

  it.each([
    ['data.nope', 'correlate fails: no such key: nope'],
    ['data.none', 'correlate yields null'],
    ['data.empty', 'correlate yields an empty text'],
    ['data.list', 'correlate yields no text, number or boolean'],
    ['data.long', 'correlate yields more than 1024 characters'],
    ['data.exact / 0.0', 'correlate yields no finite number'],
  ])('%s is none: %s', (source, because) => {
    const correlate = compileCorrelation(source, 'spec.correlate');
    expect(correlate.ok && correlate.value(testEvent({}, data))).toEqual({ ok: false, because });
  });

  it('refuses what is no CEL', () => {
    const correlate = compileCorrelation('data.', 'spec.correlate');
    expect(correlate.ok ? [] : correlate.findings.map(({ field }) => field)).toEqual(['spec.correlate']);
  });
});
