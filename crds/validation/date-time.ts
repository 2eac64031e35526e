const FORM = /^(\d{4})-(\d{2})-(\d{2})t([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:z|[+-]\d{2}:\d{2})$/i;

/** Whether a text is a time in RFC 3339 that the calendar has. */
export function isDateTime(text: string): boolean {
  const match = FORM.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1, 4).map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day));
  // Date.UTC carries a 30th of February over to March: then the month is another one.
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
}
