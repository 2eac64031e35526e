import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleInto } from '../../cli/bundle.ts';
import made from '../../package.json' with { type: 'json' };
import { runCrashes } from './receiver-crash.ts';

let directory: string;
let command: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-crash-'));
  command = await bundleInto(directory);
});
afterAll(() => rm(directory, { recursive: true }));

describe('the bundle', () => {
  it('knows its version with nothing beside it', () => {
    const told = execFileSync(process.execPath, [command, '--version'], { cwd: directory, encoding: 'utf8' });
    expect(told).toBe(`signalbox ${made.version}\n`);
  });
});

describe('a process killed under load', () => {
  it('loses nothing that it acknowledged, and repeats only under the same idempotency key', async () => {
    const report = await runCrashes({ command, directory, rounds: 50, random: Math.random });
    expect(report.lost).toEqual([]);
    expect(report.keysDiffer).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(report.rounds);
  }, 600_000);
});
