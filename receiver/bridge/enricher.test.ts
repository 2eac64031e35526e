import { describe, expect, it } from 'vitest';
import { createEnricher } from './enricher.ts';
import { readJob } from './job-record.ts';

describe('asking for jobs', () => {
  it('is bounded: so many at once, so many that wait, and the rest go without', async () => {
    const asked: (() => void)[] = [];
    const job = readJob(Buffer.from('{"job":{"id":"j","state":"active"}}'));
    const enricher = createEnricher({
      job: () => new Promise((resolve) => asked.push(() => resolve(job))),
    });
    let found = 0;
    let without = 0;
    for (let i = 0; i < 600; i++) {
      enricher.ask(`j${i}`, (one) => {
        if (one === undefined) without += 1;
        else found += 1;
      });
    }
    expect(asked).toHaveLength(16);
    expect(without).toBe(600 - 16 - 512);
    while (found < 528) {
      for (const answer of asked.splice(0)) answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(asked).toEqual([]);
  });
});
