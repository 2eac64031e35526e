import { expect, test } from 'vitest';
import { describeWithServer } from '../apiserver/suite.ts';
import { setStage } from './stage.ts';

describeWithServer('an operator that is stopped', (server) => {
  test('says nothing of watches that failed', async () => {
    await using stage = await setStage(server);
    const warnings: string[] = [];
    const operator = await stage.startOperator({ warned: (message) => warnings.push(message) });
    await operator.stop();
    expect(warnings).toEqual([]);
  });
});
