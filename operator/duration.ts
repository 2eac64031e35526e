const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|h|m|s)/gy;
const ISO = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const ISO_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000];

/** What a duration may look like, for messages. */
export const DURATION_FORMS = 'a duration like 72h, 1h30m, 500ms or PT0.2S';

/**
 * Milliseconds of `72h`, `1h30m`, `500ms` or of ISO 8601's `PT0.2S` and `P1DT2H`; undefined where it is neither.
 * ISO years and months have no fixed length and are refused. What is below half a millisecond is 0.
 */
export function parseDuration(text: string): number | undefined {
  const ms = text.startsWith('P') ? parseIso(text) : parseUnits(text);
  return ms === undefined || !Number.isSafeInteger(Math.round(ms)) ? undefined : Math.round(ms);
}

function parseUnits(text: string): number | undefined {
  if (text === '0') return 0;
  let at = 0;
  let ms = 0;
  for (const match of text.matchAll(PART)) {
    ms += Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
    at = match.index + match[0].length;
  }
  return text !== '' && at === text.length ? ms : undefined;
}

function parseIso(text: string): number | undefined {
  const match = ISO.exec(text);
  if (match === null || text.endsWith('T') || text === 'P') return undefined;
  return ISO_MS.reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * unit, 0);
}
