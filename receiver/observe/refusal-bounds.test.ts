import { describe, expect, it } from 'vitest';
import { refusalBounds } from './refusal-bounds.ts';

describe('the bounds of what was refused', () => {
  it('are seven days and 100,000, in shares of 50, where nothing is said', () => {
    expect(refusalBounds()).toMatchObject({
      retentionMs: 604_800_000,
      perShare: 50,
      shares: 1000,
      rows: 2000,
    });
  });

  it.each([
    [{ most: 1000 }, { perShare: 50, shares: 20, rows: 20 }],
    [{ most: 7 }, { perShare: 7, shares: 1, rows: 1 }],
    [{ mostBytes: 1 << 20 }, { shareBytes: 32_768, shares: 32, rows: 32 }],
    [{ mostBytes: 10_000 }, { shareBytes: 10_000, rows: 1 }],
    [
      { most: 1_000_000, mostBytes: 1 << 30 },
      { shares: 1000, rows: 20_000 },
    ],
    [{ keepMs: 5 }, { retentionMs: 5, rows: 2000 }],
  ])('never let more be kept than is said: %j', (limits, bounds) => {
    expect(refusalBounds(limits)).toMatchObject(bounds);
  });
});
