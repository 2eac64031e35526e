const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const UNITS = /^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/;
const UNIT = /(\d+(?:\.\d+)?)(h|ms|m|s)/g;
const ISO = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const ISO_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000];

/** Milliseconds of `1h30m`, `500ms` or of ISO 8601's `PT0.2S`; undefined where the text is neither. */
export function durationMs(text: string): number | undefined {
  if (UNITS.test(text)) {
    let ms = 0;
    for (const [, amount, unit] of text.matchAll(UNIT)) ms += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
    return Math.round(ms);
  }
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  return Math.round(ISO_MS.reduce((sum, unit, i) => sum + Number(parts[i + 1] ?? 0) * unit, 0));
}

/** ISO 8601, as OJS writes durations: `PT1H30M`, `PT0.5S`. */
export function isoDuration(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  const text = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`;
  return text === '' ? 'PT0S' : `PT${text}`;
}
