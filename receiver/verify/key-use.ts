import type { EntryChange } from '../routing/runtime.ts';

/** When a key last proved a request. */
export interface KeyUseRow {
  /** `WebhookSecret/namespace/name` */
  readonly entrance: string;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly lastUsed: number;
}

/** Remembers when each key last proved a request, since this process began. */
export interface KeyUse {
  note(entrance: string, key: string, now: number): void;
  list(): readonly KeyUseRow[];
  /** Forgets endpoints that the table no longer has. */
  tableChanged(changes: readonly Pick<EntryChange, 'key' | 'after'>[]): void;
}

/** In memory: the operator keeps what matters in the status. */
export function createKeyUse(): KeyUse {
  const used = new Map<string, Map<string, number>>();
  return {
    note(entrance, key, now) {
      const keys = used.get(entrance);
      if (keys === undefined) used.set(entrance, new Map([[key, now]]));
      else keys.set(key, now);
    },
    list: () =>
      [...used].flatMap(([entrance, keys]) =>
        [...keys].map(([key, lastUsed]) => ({ entrance, key, lastUsed })),
      ),
    tableChanged(changes) {
      for (const { key, after } of changes) if (after === undefined) used.delete(key);
    },
  };
}
