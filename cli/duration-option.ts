import { DURATION_FORMS, parseDuration } from '../operator/duration.ts';
import { UsageError } from './exit-codes.ts';

/** Reads a duration into milliseconds. Throws UsageError that names the option. */
export function durationOption(text: string, option: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`${option} ${text} is not ${DURATION_FORMS}; write it as one.`);
  return ms;
}
