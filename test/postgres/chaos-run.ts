import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleInto } from '../../cli/bundle.ts';
import { findBinaries } from './binaries.ts';
import { runChaos } from './chaos.ts';

/* `npm run test:chaos -- 600`: two receivers and a PostgreSQL broken under load for so many seconds, its progress shown. */

const seconds = Number(process.argv[2] ?? 600);
const { folder, missing } = findBinaries();
if (folder === undefined) throw new Error(missing);
const directory = await mkdtemp(join(tmpdir(), 'signalbox-chaos-bundle-'));
const command = await bundleInto(directory);
const report = await runChaos({
  binaries: folder,
  command,
  seconds,
  receiverEveryMs: 5000,
  databaseEveryMs: 30_000,
  senders: 16,
  progress: (line) => void process.stdout.write(`${line}\n`),
});
await rm(directory, { recursive: true });
const { lost, keysDiffer } = report;
process.stdout.write(`${JSON.stringify({ ...report, lost: lost.length, keysDiffer: keysDiffer.length })}\n`);
process.exitCode = lost.length + keysDiffer.length === 0 ? 0 : 1;
