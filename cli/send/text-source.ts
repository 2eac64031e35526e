import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { CommandError, EXIT } from '../exit-codes.ts';

/** Reads what an option's value stands for: the text itself, `@FILE` a file's bytes, `@-` standard input. */
export async function bytesOf(value: string, stdin: NodeJS.ReadableStream): Promise<Buffer> {
  if (!value.startsWith('@')) return Buffer.from(value);
  return value === '@-' ? buffer(stdin) : fileBytes(value.slice(1));
}

/** A file's bytes. Throws CommandError. */
export async function fileBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'it cannot be read';
    throw new CommandError(`${path}: ${why}; check the path.`, EXIT.failed, error);
  }
}
