import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';

/** `-o json`, the same in every command that prints something a script may read. */
export const OUTPUT_OPTION: Option = {
  name: 'output',
  short: 'o',
  value: 'FORMAT',
  help: 'text (default) or json.',
};

/** What `-o` asks for. Throws UsageError. */
export function outputFormat(parsed: Parsed): 'text' | 'json' {
  const format = parsed.text('output') ?? 'text';
  if (format === 'text' || format === 'json') return format;
  throw new UsageError(`-o ${format} is no format; write -o text or -o json.`);
}
