import { LOG_LEVELS, type LogLevel } from '../receiver/observe/log.ts';
import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';

/** `--log-level`, with its default told in the help. */
export function logLevelOption(fallback: LogLevel): Option {
  return {
    name: 'log-level',
    value: 'LEVEL',
    help: `${LOG_LEVELS.join(', ')}; JSON lines. Default: ${fallback}`,
  };
}

/** The level that `--log-level` names. Throws UsageError where there is no such level. */
export function logLevelOf(parsed: Parsed, fallback: LogLevel): LogLevel {
  const level = parsed.text('log-level') ?? fallback;
  const known = LOG_LEVELS.find((name) => name === level);
  if (known !== undefined) return known;
  throw new UsageError(`--log-level ${level} is not known; write one of ${LOG_LEVELS.join(', ')}.`);
}
