const PREFIX = 'dev.signalbox.';

/** The type of an event whose request gives none, neither as a CloudEvent nor by its endpoint's mapping. */
export function defaultType(source: string): string {
  return PREFIX + source;
}

/** Whether an event's type is one that its endpoint gave it. */
export function isDefaultType(type: string): boolean {
  return type.startsWith(PREFIX);
}
