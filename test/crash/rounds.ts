import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleInto } from '../../cli/bundle.ts';
import { runCrashes } from './receiver-crash.ts';

/* `npm run test:crash -- 500`: the crash test with as many rounds as one likes, its progress shown. */

const rounds = Number(process.argv[2] ?? 500);
const directory = await mkdtemp(join(tmpdir(), 'signalbox-crash-'));
const command = await bundleInto(directory);
const progress = (round: number, acknowledged: number) => {
  process.stdout.write(`\rround ${round} of ${rounds}, ${acknowledged} events acknowledged`);
};
const report = await runCrashes({ command, directory, rounds, random: Math.random, progress });
await rm(directory, { recursive: true });
const { lost, keysDiffer } = report;
process.stdout.write(
  `\n${JSON.stringify({ ...report, lost: lost.length, keysDiffer: keysDiffer.length })}\n`,
);
process.exitCode = lost.length + keysDiffer.length === 0 ? 0 : 1;
