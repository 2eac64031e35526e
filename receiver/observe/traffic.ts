import { type Entry, entryKey } from '../routing/table.ts';

/** When a resource last took an event. */
export interface TrafficRow {
  /** `Kind/namespace/name` */
  readonly resource: string;
  /** Milliseconds since the epoch. */
  readonly lastEvent: number;
}

/** Remembers when each resource last took an event, since this process began. */
export interface Traffic {
  note(resource: string, now: number): void;
  list(): readonly TrafficRow[];
  /** Forgets what the table no longer has. */
  retain(entries: readonly Entry[]): void;
}

/** In memory: the operator keeps it in the status. */
export function createTraffic(): Traffic {
  const last = new Map<string, number>();
  return {
    note: (resource, now) => void last.set(resource, now),
    list: () => [...last].map(([resource, lastEvent]) => ({ resource, lastEvent })),
    retain(entries) {
      const kept = new Set(entries.map(entryKey));
      for (const resource of last.keys()) if (!kept.has(resource)) last.delete(resource);
    },
  };
}
