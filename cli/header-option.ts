import { UsageError } from './exit-codes.ts';

/** Reads `--header NAME:VALUE`, the name in lower case. Throws UsageError. */
export function headerOf(line: string): readonly [string, string] {
  const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):\s*(.*)$/.exec(line);
  const [, name, value] = match ?? [];
  if (name === undefined || value === undefined)
    throw new UsageError(`--header ${line} is not understood; write Name: value.`);
  return [name.toLowerCase(), value];
}
