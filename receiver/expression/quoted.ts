const SHOWN = 100;

/** An event's value as a message quotes it, shortened to 100 characters. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value);
}
