import { expect, it } from 'vitest';
import type { ApiRequest, KubeClient } from '../receiver/kube/client.ts';
import { createLog } from '../receiver/observe/log.ts';
import { createRecorder } from './recorder.ts';

const REGARDING = { kind: 'EventTrigger', namespace: 'shop', name: 'pack', uid: 'u' } as const;

/** A recorder, and the messages of the Events that it wrote. */
function recording(now: () => number) {
  const written: string[] = [];
  const client: Pick<KubeClient, 'json'> = {
    json: async <T>({ body }: ApiRequest) => {
      written.push((body as { readonly message: string }).message);
      return undefined as T;
    },
  };
  const recorder = createRecorder(client as KubeClient, createLog('silent'), now);
  const record = (type: 'Normal' | 'Warning', message: string) =>
    recorder.record(REGARDING, { type, reason: type === 'Normal' ? 'Live' : 'RefNotFound', message });
  return { recorder, record, written };
}

it('tells a warning among ten thousand that go live at once', async () => {
  const { recorder, record, written } = recording(() => 0);
  for (let i = 0; i < 10_000; i++) record('Normal', `live ${i}`);
  record('Warning', 'spec.target names what does not exist');
  await recorder.stop();

  expect(written).toHaveLength(51);
  expect(written.at(-1)).toBe('spec.target names what does not exist');
});

it('tells no more than so many a second, of warnings either', async () => {
  let now = 0;
  const { recorder, record, written } = recording(() => now);
  for (let i = 0; i < 1000; i++) record('Warning', `bad ${i}`);
  await recorder.stop();
  expect(written).toHaveLength(100);

  now = 1000;
  for (let i = 0; i < 1000; i++) record('Warning', `worse ${i}`);
  await recorder.stop();
  expect(written).toHaveLength(110);
});
