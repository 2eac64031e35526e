import { constants, existsSync } from 'node:fs';
import { access, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalError } from '../journal.ts';
import { holdCheckpoints } from './hold.ts';

export const DATABASE = 'journal.db';
const WAL = `${DATABASE}-wal`;
/** The head of a WAL changes whenever it is begun anew. */
const WAL_HEAD = 32;
const CHUNK = 4 * 1024 * 1024;
/** How often copying begins again because a checkpoint came between. */
const TRIES = 5;

/** Told of bytes that were copied, and of how many there are. */
export type CopyProgress = (bytes: number, of: number) => void;

/**
 * Copies the files of a journal that may be in use: all that was acknowledged before the call, and perhaps more. What
 * stands in `to` is as after a crash: opened, it recovers.
 * @throws JournalError where it changes faster than it can be copied
 */
export async function copyFiles(directory: string, to: string, progress: CopyProgress): Promise<void> {
  const hold = holdCheckpoints(directory);
  try {
    for (let attempt = 1; attempt <= TRIES; attempt++) {
      if (
        await copyOnce(directory, to, (bytes, of) => {
          hold.touch();
          progress(bytes, of);
        })
      )
        return;
    }
  } finally {
    hold.release();
  }
  throw new JournalError(
    'JournalUnavailable',
    `the journal in ${directory} changed too fast to be copied, ${TRIES} times; try again when there is less load`,
  );
}

/** @throws JournalError where there is no journal that can be copied */
export async function mustBeThere(directory: string): Promise<void> {
  const file = join(directory, DATABASE);
  if (!existsSync(file)) {
    throw new JournalError(
      'JournalUnavailable',
      `there is no journal in ${directory}: ${DATABASE} is missing; give the directory that the receiver was started with`,
    );
  }
  try {
    await access(file, constants.R_OK);
    await access(directory, constants.W_OK);
  } catch (error) {
    throw new JournalError(
      'JournalUnavailable',
      `the journal in ${directory} can't be read, or nothing can be written beside it; run this as the user that the receiver runs as`,
      error,
    );
  }
}

/** False: a checkpoint came between, and what was copied does not fit together. */
async function copyOnce(directory: string, to: string, progress: CopyProgress): Promise<boolean> {
  const before = await walHead(directory);
  await copyFile(join(directory, DATABASE), join(to, DATABASE), progress);
  if (existsSync(join(directory, WAL))) await copyFile(join(directory, WAL), join(to, WAL), () => undefined);
  return before.equals(await walHead(directory));
}

async function walHead(directory: string): Promise<Buffer> {
  const file = join(directory, WAL);
  if (!existsSync(file)) return Buffer.alloc(0);
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(WAL_HEAD), 0, WAL_HEAD, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Up to where the file ended when this began; what is written behind it meanwhile is left out. */
async function copyFile(from: string, to: string, progress: CopyProgress): Promise<void> {
  const source = await open(from, 'r');
  let target: FileHandle | undefined;
  try {
    target = await open(to, 'w', 0o600);
    const { size } = await source.stat();
    const buffer = Buffer.alloc(Math.min(CHUNK, Math.max(size, 1)));
    for (let at = 0; at < size; ) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, size - at), at);
      if (bytesRead === 0) break;
      await target.write(buffer, 0, bytesRead, at);
      at += bytesRead;
      progress(at, size);
    }
    await target.sync();
  } finally {
    await source.close();
    await target?.close();
  }
}
