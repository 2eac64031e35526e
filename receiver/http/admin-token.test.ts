import { afterEach, expect, test } from 'vitest';
import { openStage, type Stage } from '../testing.ts';

let stage: Stage;

afterEach(() => stage.close());

test('an empty admin token lets nobody in: it counts as none given', async () => {
  stage = await openStage({ adminToken: '' });
  const api = `${stage.receiver.addresses.admin}/api/events`;
  expect((await fetch(api)).status).toBe(401);
  expect((await fetch(api, { headers: { authorization: 'Bearer ' } })).status).toBe(401);
});
