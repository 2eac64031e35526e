import { expect, test } from 'vitest';
import { createConfirmer } from './confirmer.ts';

const RECEIVER = { name: 'receiver-0', url: 'http://10.0.0.1:9090' };

test('a receiver that runs what is expected is asked again, and one that fell back is noticed', async () => {
  let runs = 7;
  let caughtUp: (() => void) | undefined;
  let moved = (): void => undefined;
  const confirmer = createConfirmer({
    // As the receiver does: at once, or when it is there.
    ask: async ({ atLeast }) => {
      if (runs < atLeast) {
        await new Promise<void>((resolve) => {
          caughtUp = resolve;
        });
      }
      return runs;
    },
    token: () => Promise.resolve('token'),
    changed: () => moved(),
    againMs: 1,
    random: Math.random,
  });
  const reached = (state: string): Promise<void> =>
    new Promise((resolve) => {
      moved = () => {
        if (confirmer.state(7).state === state) resolve();
      };
      moved();
    });

  confirmer.expect(7);
  confirmer.receivers([RECEIVER]);
  await reached('Live');
  runs = 3;
  await reached('Publishing');
  expect(confirmer.state(7)).toMatchObject({ message: expect.stringContaining('it runs revision 3 of 7') });
  runs = 7;
  caughtUp?.();
  await reached('Live');
  await confirmer.stop();
});
