/** How a sender writes a time. */
export type TimestampUnit = 'Seconds' | 'Milliseconds' | 'RFC3339';

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MINUTE_MS = 60_000;

/** The decimal number in `text[from, to)`, or -1 where a character is no digit. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function daysOf(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : (DAYS[month - 1] ?? 0);
}

/** Milliseconds since the epoch of `YYYY-MM-DDTHH:MM:SS`, or NaN. Second 60 is a leap second (RFC 3339 5.7). */
function dateTime(text: string): number {
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return Number.NaN;
  if (text[10] !== 'T' && text[10] !== 't') return Number.NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  if (year < 0 || month < 1 || day < 1 || day > daysOf(year, month)) return Number.NaN;
  return day0(year, month, day) + timeOfDay(text);
}

function day0(year: number, month: number, day: number): number {
  // Date.UTC reads years 0 to 99 as 1900 to 1999.
  return year >= 100 ? Date.UTC(year, month - 1, day) : new Date(0).setUTCFullYear(year, month - 1, day);
}

function timeOfDay(text: string): number {
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return Number.NaN;
  return (hour * 3600 + minute * 60 + second) * 1000;
}

/** Milliseconds to subtract for the zone that is `text` from `at` on, or NaN. */
function zone(text: string, at: number): number {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : Number.NaN;
  if (text.length !== at + 6 || text[at + 3] !== ':') return Number.NaN;
  const hours = digits(text, at + 1, at + 3);
  const minutes = digits(text, at + 4, at + 6);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return Number.NaN;
  const offset = (hours * 60 + minutes) * MINUTE_MS;
  if (sign === '+') return offset;
  return sign === '-' ? -offset : Number.NaN;
}

/** Milliseconds since the epoch of an RFC 3339 `date-time`; `undefined` where `text` is none. */
export function parseRfc3339(text: string): number | undefined {
  let at = 19;
  let fraction = 0;
  if (text[at] === '.') {
    let scale = 100;
    at++;
    while (digits(text, at, at + 1) >= 0) {
      fraction += digits(text, at, at + 1) * scale;
      scale /= 10;
      at++;
    }
    if (at === 20) return undefined;
  }
  const value = dateTime(text) + Math.floor(fraction) - zone(text, at);
  return Number.isNaN(value) ? undefined : value;
}

/** Milliseconds since the epoch; `undefined` where `text` is no time in that unit. */
export function readTimestamp(text: string, unit: TimestampUnit): number | undefined {
  if (unit === 'RFC3339') return parseRfc3339(text);
  if (text.length === 0 || text.length > 15) return undefined;
  const value = digits(text, 0, text.length);
  if (value < 0) return undefined;
  return unit === 'Seconds' ? value * 1000 : value;
}

/** The same outward: `ms` as a sender writes it. */
export function writeTimestamp(ms: number, unit: TimestampUnit): string {
  if (unit === 'RFC3339') return new Date(ms).toISOString();
  return String(unit === 'Seconds' ? Math.floor(ms / 1000) : Math.floor(ms));
}

/** A text where it is an RFC 3339 `date-time`, as it is written. */
export function rfc3339Text(text: string | undefined): string | undefined {
  return text !== undefined && parseRfc3339(text) !== undefined ? text : undefined;
}
