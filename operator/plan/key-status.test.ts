import { describe, expect, it } from 'vitest';
import { keyStatus, oldKeysUnused } from './key-status.ts';
import { webhookSecret } from './testing.ts';

const AT = Date.UTC(2027, 0, 31, 12);
const HOUR = 3_600_000;

function resource(before?: Readonly<Record<string, string>>) {
  const ref = { name: 'hooks', key: 'secret' };
  const spec = webhookSecret({
    secrets: ['old', 'new', 'next'].map((name) => ({ name, secretKeyRef: ref })),
  });
  const keys = Object.entries(before ?? {}).map(([name, lastUsed]) => ({ name, lastUsed }));
  return { ...spec, status: { keys } };
}

describe('the status of keys', () => {
  it('has the later of what receivers and the status tell, for the keys of the spec alone', () => {
    const before = { old: '2027-01-30T00:00:00Z', new: '2027-01-31T11:00:00Z', gone: '2027-01-01T00:00:00Z' };
    const told = new Map([
      ['old', AT + 999],
      ['new', 0],
      ['elsewhere', AT],
    ]);
    expect(keyStatus(resource(before), told)).toEqual([
      { name: 'old', lastUsed: '2027-01-31T12:00:00Z' },
      { name: 'new', lastUsed: '2027-01-31T11:00:00Z' },
      { name: 'next' },
    ]);
  });

  it('has no use from before the resource was made', () => {
    const { metadata, ...rest } = resource();
    const later = { ...rest, metadata: { ...metadata, creationTimestamp: '2027-01-31T12:00:01Z' } };
    const told = new Map([
      ['old', AT + 999],
      ['new', AT + 1000],
    ]);
    expect(keyStatus(later, told)).toEqual([
      { name: 'old' },
      { name: 'new', lastUsed: '2027-01-31T12:00:01Z' },
      { name: 'next' },
    ]);
  });

  it('says when a key may go: unused for a day before the last use of another', () => {
    const told = (old: number | undefined, now: number | undefined) =>
      oldKeysUnused(
        keyStatus(
          resource(),
          new Map([
            ...(old === undefined ? [] : [['old', old] as const]),
            ...(now === undefined ? [] : [['new', now] as const]),
          ]),
        ),
      );
    expect(told(undefined, undefined)).toBeUndefined();
    // A key that was never used may be the one that comes next.
    expect(told(AT, undefined)).toBeUndefined();
    expect(told(AT, AT + 23 * HOUR)).toMatchObject({
      type: 'OldKeysUnused',
      status: 'False',
      reason: 'OldKeyInUse',
      message: 'key "old" was last used at 2027-01-31T12:00:00Z: keep it until it is unused for 24 h',
    });
    expect(told(AT, AT + 24 * HOUR)).toMatchObject({
      status: 'True',
      reason: 'SafeToRemove',
      message: expect.stringMatching(/safe to remove from spec\.secrets: "old"$/),
    });
  });
});
