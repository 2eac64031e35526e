import { expect, test } from 'vitest';
import type { BridgeReport } from '../plan/bridge-report.ts';
import { createBridgeReports } from './bridge-reports.ts';

const DOWN: BridgeReport = { bridge: 'shop/results', state: 'Down', trouble: 'no answer' };
const READING: BridgeReport = { bridge: 'shop/other', state: 'Reading' };
const ONE = { name: 'one', url: 'http://one' };
const TWO = { name: 'two', url: 'http://two' };

test('what a receiver told last counts until it tells something else, or is ready no more', async () => {
  const answers = new Map<string, readonly BridgeReport[]>([
    [ONE.url, [DOWN]],
    [TWO.url, [READING]],
  ]);
  let changed = Promise.withResolvers<string>();
  const reports = createBridgeReports({
    ask: async ({ url }) => {
      const answer = answers.get(url);
      if (answer === undefined) throw new Error('no answer');
      return answer;
    },
    token: async () => 'token',
    wanted: () => true,
    changed: (bridge) => changed.resolve(bridge),
    everyMs: 1,
  });
  const next = (): Promise<string> => {
    changed = Promise.withResolvers();
    return changed.promise;
  };

  const first = next();
  reports.receivers([ONE, TWO]);
  reports.start();
  await first;
  expect(reports.of('shop/results')).toEqual([DOWN]);

  // One does not answer; that two tells something else shows that a round has passed.
  answers.delete(ONE.url);
  const second = next();
  answers.set(TWO.url, []);
  expect(await second).toBe('shop/other');
  expect(reports.of('shop/results')).toEqual([DOWN]);

  const third = next();
  reports.receivers([TWO]);
  expect(await third).toBe('shop/results');
  expect(reports.of('shop/results')).toEqual([]);
  reports.stop();
});
