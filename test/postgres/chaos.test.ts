import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleInto } from '../../cli/bundle.ts';
import { runChaos } from './chaos.ts';
import { describeWithPostgres } from './suite.ts';

describeWithPostgres('two receivers and a PostgreSQL, all of them broken under load', ({ binaries }) => {
  let directory: string;
  let command: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-chaos-'));
    command = await bundleInto(directory);
  });
  afterAll(() => rm(directory, { recursive: true }));

  // A server that was given is not ours to break.
  it.skipIf(binaries === undefined)(
    'lose nothing that was acknowledged, and repeat only under the same idempotency key',
    async () => {
      const report = await runChaos({
        binaries: binaries ?? '',
        command,
        seconds: 20,
        receiverEveryMs: 4000,
        databaseEveryMs: 6000,
        senders: 8,
      });
      expect(report.lost).toEqual([]);
      expect(report.keysDiffer).toEqual([]);
      expect(report.delivered).toBe(report.acknowledged);
      expect(report.acknowledged).toBeGreaterThan(0);
      for (const broken of [report.receiversKilled, report.databaseKilled, report.connectionsEnded])
        expect(broken).toBeGreaterThan(0);
    },
    240_000,
  );
});
