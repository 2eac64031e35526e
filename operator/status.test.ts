import { expect, test } from 'vitest';
import type { Outcome } from './plan/outcome.ts';
import { type Findings, type OwnStatus, statusChange } from './status.ts';

const OUTCOME: Outcome = {
  entry: undefined,
  ready: { type: 'Ready', status: 'True', reason: 'Live', message: '' },
  conditions: [],
  findings: [],
  status: { servingGeneration: 1, url: 'https://h/e/x', keys: [{ name: 'k' }] },
};
const LIVE: Findings = { outcome: OUTCOME, confirmation: { state: 'Live' } };
const T0 = Date.UTC(2026, 0, 1);

function written(findings: Findings = LIVE): OwnStatus {
  return statusChange(undefined, findings, 1, T0)?.status as OwnStatus;
}

test('nothing is written where nothing differs, whatever others added', () => {
  const others = { ...written(), traffic: { accepted: 1 } };
  expect(statusChange(others, LIVE, 1, T0 + 60_000)).toBeUndefined();
});

test('a later use of a key is written, and is no news', () => {
  const keys = [{ name: 'k', lastUsed: '2026-01-01T00:00:30Z' }];
  const used = { ...LIVE, outcome: { ...OUTCOME, status: { ...OUTCOME.status, keys } } };
  const change = statusChange(written(), used, 1, T0 + 60_000);
  expect(change?.status.keys).toEqual(keys);
  expect(change?.event).toBeUndefined();
});

test('every condition tells its generation, and its time moves only with its status', () => {
  const same = statusChange(written(), LIVE, 2, T0 + 60_000);
  expect(same?.status).toMatchObject({ observedGeneration: 2, conditions: [{ observedGeneration: 2 }] });
  expect(same?.status.conditions[0]?.lastTransitionTime).toBe('2026-01-01T00:00:00Z');
  expect(same?.event).toBeUndefined();
  const other = statusChange(written(), { ...LIVE, confirmation: { state: 'NoReceiver' } }, 1, T0 + 60_000);
  expect(other?.status.conditions[0]).toMatchObject({
    status: 'Unknown',
    reason: 'NoReceiver',
    lastTransitionTime: '2026-01-01T00:01:00Z',
  });
  expect(other?.event).toMatchObject({ type: 'Warning', reason: 'NoReceiver' });
});

test('what is refused stays False whatever the receivers say, and being on the way is no Event', () => {
  const ready = { type: 'Ready', status: 'False', reason: 'Invalid', message: 'spec.x: wrong' } as const;
  const refused: Findings = { outcome: { ...OUTCOME, ready }, confirmation: { state: 'NoReceiver' } };
  expect(written(refused).conditions[0]).toMatchObject({ status: 'False', reason: 'Invalid' });
  const lags: Findings = { ...LIVE, confirmation: { state: 'Publishing', message: 'receiver a lags' } };
  const change = statusChange(written(), lags, 1, T0);
  expect(change?.status.conditions[0]).toMatchObject({ status: 'Unknown', reason: 'Publishing' });
  expect(change?.event).toBeUndefined();
});

test('a full table is told with what serves instead', () => {
  const { status } = statusChange(undefined, { ...LIVE, full: { servingGeneration: 4 } }, 5, T0) ?? {};
  expect(status).toMatchObject({
    servingGeneration: 4,
    conditions: [{ status: 'False', reason: 'TableFull' }],
  });
  expect(status?.conditions[0]?.message).toContain('generation 4 still serves');
  expect(status?.url).toBeUndefined();
});
