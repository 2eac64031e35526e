const FIRST_MS = 250;
const LONGEST_MS = 15_000;
const MISSING_MS = 8000;

/**
 * How long to wait before the next attempt: not at all after a connection that was cut, twice as long after each that
 * failed. A backend that has no way of telling events is asked seldom. Half of it is chance, so that many bridges do not
 * come at once.
 */
export function delayOf(failures: number, missing: boolean, random: () => number): number {
  if (failures === 0) return 0;
  const whole = missing ? MISSING_MS : Math.min(FIRST_MS * 2 ** (failures - 1), LONGEST_MS);
  return whole * (0.5 + random() / 2);
}
