import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STRICT, validate } from '../event/validate.ts';
import { bridgeEntry } from '../routing/testing.ts';
import { compileBridge } from './compile-bridge.ts';
import { readJob } from './job-record.ts';
import { BrokenMessage } from './members.ts';
import { missedChanges } from './missed.ts';
import { normalise } from './normalise.ts';

const AT = '2026-01-01T00:00:00Z';

function job(over: object) {
  return readJob(Buffer.from(JSON.stringify({ id: 'j1', state: 'active', ...over })));
}

describe('a job', () => {
  it('has no time that is none', () => {
    const told = job({ created_at: 'yesterday', enqueued_at: AT, started_at: 'now', failed_at: 1767225600 });
    expect(told).toMatchObject({ createdAt: AT, startedAt: undefined, endedAt: undefined });
    expect(job({ completed_at: 'today', failed_at: AT }).endedAt).toBe(AT);
  });

  it.each(['a\nb', '\ud800', '\uffff'])('cannot be read, where its id is %j', (id) => {
    expect(() => job({ id })).toThrow(
      new BrokenMessage('the id of the job holds a character that CloudEvents does not allow'),
    );
  });

  it('makes valid events, whatever it tells', () => {
    const compiled = compileBridge(bridgeEntry('http://backend.example'));
    if (!compiled.ok) throw new Error('the bridge does not compile');
    const { outgoing } = compiled.value;
    const time = fc.constantFrom(AT, 'yesterday', '2026-13-01T00:00:00Z', 1767225600, undefined);
    const record = fc.record({
      id: fc.constantFrom('j1', 'a\nb', '\ud800', 'ä'),
      state: fc.constantFrom('available', 'active', 'retryable', 'completed', 'cancelled'),
      created_at: time,
      started_at: time,
      completed_at: time,
    });
    fc.assert(
      fc.property(record, (over) => {
        let read: ReturnType<typeof job>;
        try {
          read = job(over);
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenMessage);
          return;
        }
        for (const change of missedChanges(read, undefined, 0))
          for (const reading of normalise(change)) validate(outgoing(reading).attributes, STRICT);
      }),
    );
  });
});
