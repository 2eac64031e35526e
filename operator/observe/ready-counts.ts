import type { Kind } from '../../crds/group.ts';

/** So many resources of a kind whose Ready has that status. */
export interface ReadyCount {
  readonly kind: Kind;
  readonly ready: string;
  readonly count: number;
}

/** Resources by kind and by the status of Ready, kept and not counted when asked: a scrape stops nobody. */
export interface ReadyCounts {
  /** The status of Ready before and now; undefined: it was not there, or is gone. */
  changed(kind: Kind, before: string | undefined, after: string | undefined): void;
  /** Only what there is one of. */
  list(): readonly ReadyCount[];
}

/** Makes counts of nothing. */
export function createReadyCounts(): ReadyCounts {
  const counts = new Map<string, ReadyCount>();

  function add(kind: Kind, ready: string | undefined, by: number): void {
    if (ready === undefined) return;
    const key = `${kind}/${ready}`;
    const count = (counts.get(key)?.count ?? 0) + by;
    if (count === 0) counts.delete(key);
    else counts.set(key, { kind, ready, count });
  }

  return {
    changed(kind, before, after) {
      if (before === after) return;
      add(kind, before, -1);
      add(kind, after, 1);
    },
    list: () => [...counts.values()],
  };
}
