import type { Finding } from '../../receiver/errors.ts';
import type { Dedup } from '../../receiver/routing/table.ts';
import { DURATION_FORMS, parseDuration } from '../duration.ts';
import { parseQuantity, QUANTITY_FORMS } from '../quantity.ts';
import type { Dedup as DedupSpec } from './resources.ts';

const DEDUP_WINDOW_MS = 86_400_000;

/** Reads the texts of a spec into numbers and gathers what is wrong with them, each under its field. */
export interface Reader {
  readonly findings: Finding[];
  /** Milliseconds; `fallback` where the text is left out or wrong. */
  duration(text: string | undefined, field: string, fallback: number): number;
  /** Bytes. */
  quantity(text: string | number | undefined, field: string, fallback: number): number;
  /** Milliseconds since the epoch of an RFC 3339 time. */
  time(text: string, field: string): number | undefined;
}

export function createReader(): Reader {
  const findings: Finding[] = [];
  const note = (field: string, text: string | number, forms: string): void => {
    findings.push({ field, message: `"${text}" is not ${forms}: write it as one` });
  };
  return {
    findings,
    duration(text, field, fallback) {
      if (text === undefined) return fallback;
      const ms = parseDuration(text);
      if (ms === undefined) note(field, text, DURATION_FORMS);
      return ms ?? fallback;
    },
    quantity(text, field, fallback) {
      if (text === undefined) return fallback;
      const bytes = parseQuantity(text);
      if (bytes === undefined) note(field, text, QUANTITY_FORMS);
      return bytes ?? fallback;
    },
    time(text, field) {
      const ms = Date.parse(text);
      if (!Number.isNaN(ms)) return ms;
      note(field, text, 'a time like 2027-01-31T00:00:00Z');
      return undefined;
    },
  };
}

/** `dedup` with its defaults. */
export function readDedup(spec: DedupSpec | undefined, field: string, reader: Reader): Dedup {
  return {
    enabled: spec?.enabled ?? true,
    windowMs: reader.duration(spec?.window, `${field}.window`, DEDUP_WINDOW_MS),
  };
}

/** A rate with its defaults; `per` of no length is a finding, not a division by zero. */
export function readRate(
  spec: { readonly requests: number; per?: string },
  field: string,
  reader: Reader,
): { readonly requests: number; readonly perMs: number } {
  const perMs = reader.duration(spec.per, `${field}.per`, 1000);
  if (perMs < 1)
    reader.findings.push({
      field: `${field}.per`,
      message: 'a rate needs a length of time: write 1s or more',
    });
  return { requests: spec.requests, perMs };
}
