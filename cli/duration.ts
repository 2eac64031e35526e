import { parseDuration } from '../operator/duration.ts';

const DAY_MS = 86_400_000;

/** What a duration on the command line may look like, for messages. */
export const DURATION_EXAMPLES = '30m, 12h or 7d';

/** Milliseconds of a duration as manifests have it, or in days (`7d`); undefined where it is neither. */
export function optionDuration(text: string): number | undefined {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  return days === undefined ? parseDuration(text) : Number(days) * DAY_MS;
}
