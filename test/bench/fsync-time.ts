import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { percentile } from './percentile.ts';

/** Median milliseconds of a 4 kB append and its fsync in a folder: stands beside every durable figure. */
export function fsyncMilliseconds(folder: string): number {
  const path = join(folder, 'fsync-probe');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(4096, 1);
  const times = new Float64Array(200);
  for (let i = 0; i < times.length; i++) {
    const started = performance.now();
    writeSync(file, block);
    fsyncSync(file);
    times[i] = performance.now() - started;
  }
  closeSync(file);
  rmSync(path);
  return percentile(times.sort(), 0.5);
}
