import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPaths, type Snapshot } from './files.ts';
import { type ManifestWatch, watchPaths } from './watch.ts';

let folder: string;
let watch: ManifestWatch | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-watch-'));
});

afterEach(async () => {
  watch?.close();
  watch = undefined;
  await rm(folder, { recursive: true });
});

/** Watches `path`; `next()` awaits the next change. */
async function watching(path: string): Promise<{ next: () => Promise<Snapshot>; seen: Snapshot[] }> {
  const seen: Snapshot[] = [];
  const waiting: ((snapshot: Snapshot) => void)[] = [];
  watch = watchPaths([path], await readPaths([path]), (snapshot) => {
    seen.push(snapshot);
    waiting.shift()?.(snapshot);
  });
  return { seen, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

describe('watchPaths', () => {
  it('sees an edit in place and an edit by rename, and never a half-written file', async () => {
    const file = join(folder, 'a.yaml');
    await writeFile(file, 'one');
    const { next, seen } = await watching(file);

    const first = next();
    await writeFile(file, '');
    await writeFile(file, 'two');
    expect((await first).files).toEqual([{ path: file, text: 'two' }]);

    const second = next();
    await writeFile(join(folder, '.a.yaml.swp'), 'three');
    await rename(join(folder, '.a.yaml.swp'), file);
    expect((await second).files).toEqual([{ path: file, text: 'three' }]);
    expect(seen.map((snapshot) => snapshot.files[0]?.text)).toEqual(['two', 'three']);
  });

  it('sees files come and go in a folder, in the order of names', async () => {
    await writeFile(join(folder, 'b.yaml'), 'b');
    const { next } = await watching(folder);
    const added = next();
    await writeFile(join(folder, 'a.yml'), 'a');
    await writeFile(join(folder, 'notes.txt'), 'passed over');
    expect((await added).files.map((file) => file.text)).toEqual(['a', 'b']);
    const removed = next();
    await rm(join(folder, 'b.yaml'));
    expect((await removed).files.map((file) => file.text)).toEqual(['a']);
  });

  it('tells a path that is not there, and reads it when it comes', async () => {
    const file = join(folder, 'later.yaml');
    const { next } = await watching(file);
    expect((await readPaths([file])).problems).toEqual([
      `${file}: there is no such file or folder; check the path.`,
    ]);
    const came = next();
    await writeFile(file, 'here');
    expect(await came).toEqual({ files: [{ path: file, text: 'here' }], problems: [] });
  });
});
