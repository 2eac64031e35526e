import { CostExceeded } from '../../expression/budget.ts';

/** What may be made of any event, in characters; of a larger one, twice its own size. */
const ROOM = 1 << 20;

/**
 * The JSON text of what paths and templates made of an event. They can name one value any number of times, so that a
 * short template would make gigabytes of a megabyte: past `1 MiB + 2 × eventBytes` it throws CostExceeded.
 */
export function madeJson(made: unknown, eventBytes: number): string {
  if (isLargerThan(ROOM + 2 * eventBytes, made)) throw new CostExceeded();
  try {
    return JSON.stringify(made);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Error('the value is nested too deeply to be written', { cause: error });
  }
}

/** Weighs only until it is known; a text counts by its length, anything else for what it takes at least. */
function isLargerThan(limit: number, made: unknown): boolean {
  const waiting: unknown[] = [made];
  let weight = 0;
  while (waiting.length > 0) {
    const value = waiting.pop();
    weight += typeof value === 'string' ? value.length + 2 : 2;
    if (weight > limit) return true;
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      weight += value.length;
      if (weight > limit) return true;
      for (const item of value) waiting.push(item);
    } else {
      for (const [name, member] of Object.entries(value)) {
        weight += name.length;
        waiting.push(member);
      }
    }
  }
  return false;
}
