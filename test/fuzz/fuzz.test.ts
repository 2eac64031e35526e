import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';

describe('the listeners', () => {
  it('answer 20,000 bad requests without a fault, and keep nothing of them', async () => {
    const { findings, statuses, grown } = await fuzz(20_000, 4, () => undefined);
    expect(findings).toEqual([]);
    // The fuzzer comes far enough in: much is taken, and each kind of refusal is met.
    for (const status of [202, 400, 401, 404, 405, 415, 431])
      expect(statuses[status], `answers ${status}`).toBeGreaterThan(10);
    expect(statuses[202]).toBeGreaterThan(1000);
    expect(grown).toBeLessThan(32 << 20);
  });
});
