/** `npm run test:fuzz [cases] [seed]`: a million cases, by a seed of its own that it prints. */
import { fuzz } from './fuzz.ts';

const cases = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 32);
console.log(`fuzzing: ${cases} cases, seed ${seed}`);
const started = performance.now();
const { findings, statuses, grown } = await fuzz(cases, seed, (done) => {
  if (done % 100_000 === 0) console.log(`${done} done`);
});
const seconds = Math.round((performance.now() - started) / 1000);
console.log(
  `${seconds} s, heap grown by ${(grown / 1e6).toFixed(1)} MB, answers: ${JSON.stringify(statuses)}`,
);
for (const { index, what, bytes } of findings) console.log(`case ${index}: ${what}\n  ${bytes}`);
if (findings.length > 0 || grown > 64e6) process.exitCode = 1;
