import { describe, expect, it } from 'vitest';
import { createRevisionGate } from './revision-gate.ts';

describe('the revision gate', () => {
  it('answers at once what is in force', async () => {
    const gate = createRevisionGate();
    gate.passed(3);
    expect(await gate.reached(2, 60_000)).toBe(3);
    expect(await gate.reached(0, 0)).toBe(3);
  });

  it('lets a caller wait for what comes, and only for that', async () => {
    const gate = createRevisionGate();
    const answers: number[] = [];
    const waited = gate.reached(5, 60_000).then((revision) => answers.push(revision));
    gate.passed(4);
    await Promise.resolve();
    expect(answers).toEqual([]);
    gate.passed(6);
    await waited;
    expect(answers).toEqual([6]);
  });

  it('answers what is in force when the time is up', async () => {
    const gate = createRevisionGate();
    gate.passed(1);
    expect(await gate.reached(9, 5)).toBe(1);
  });
});
