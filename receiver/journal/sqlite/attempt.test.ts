import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Attempt } from '../journal.ts';
import { ATTEMPTS_KEPT, appendAttempt, attemptSize, readAttempts, writeAttempt } from './attempt.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1 });
const attempt: fc.Arbitrary<Attempt> = fc.record(
  {
    at: fc.nat(),
    durationMs: fc.double({ min: 0, noNaN: true }),
    status: fc.integer({ min: 100, max: 599 }),
    error: text,
    result: text,
  },
  { requiredKeys: ['at', 'durationMs'] },
);

function packed(each: Attempt): Buffer {
  const into = Buffer.alloc(attemptSize(each) + 3);
  return into.subarray(3, writeAttempt(into, 3, each));
}

it('reads back the newest attempts as they were written, however they were put together', () => {
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 30 }), (attempts) => {
      const kept = attempts.slice(-ATTEMPTS_KEPT);
      expect(readAttempts(Buffer.concat(attempts.map(packed)))).toEqual(kept);
      const appended = attempts.map(packed).reduce<Uint8Array | null>(appendAttempt, null);
      expect(readAttempts(appended)).toEqual(kept);
    }),
  );
});
