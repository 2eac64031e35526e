import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { killUnderLoad, lossesOf } from './journal-round.ts';

const ROUNDS = 10;

it(`a journal killed ${ROUNDS} times under load has lost nothing it acknowledged`, {
  timeout: 300_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'journal-crash-'));
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const told = await killUnderLoad(directory, round, 20 + Math.floor(Math.random() * 1500));
      expect(told.committed.size).toBeGreaterThan(0);
      expect(await lossesOf(directory, told)).toEqual([]);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
