import { describe, expect, it } from 'vitest';
import { createTimers } from './timers.ts';

const T = 1_700_000_000_000;

describe('timers', () => {
  it('look again at once when another receiver may have left rows, and not after they were stopped', async () => {
    const sleeps: number[] = [];
    let fire: () => void = () => undefined;
    let left: () => void = () => undefined;
    let asked: () => void = () => undefined;
    const timers = createTimers({
      journal: {
        dueRows: () => Promise.resolve([]),
        nextRowDue: () => Promise.resolve(undefined),
        watch: (due) => {
          left = due;
        },
      },
      elapsed: () => Promise.resolve(),
      now: () => T,
      setTimer: (run, ms) => {
        sleeps.push(ms);
        fire = run;
        asked();
        return () => undefined;
      },
      log: { error: () => undefined } as never,
    });
    timers.start();
    const slept = new Promise<void>((resolve) => {
      asked = resolve;
    });
    fire();
    await slept;
    left();
    expect(sleeps).toEqual([0, 5000, 0]);
    await timers.stop();
    left();
    expect(sleeps).toHaveLength(3);
  });
});
