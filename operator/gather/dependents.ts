/** Who has to be looked at again when something changes. Both are keys: `Secret/shop/x` → `EventTrigger/shop/y`. */
export interface Dependents {
  /** What `key` depends on from now on; [] forgets it. */
  set(key: string, on: Iterable<string>): void;
  of(thing: string): Iterable<string>;
  has(thing: string): boolean;
}

export function createDependents(): Dependents {
  const on = new Map<string, ReadonlySet<string>>();
  const by = new Map<string, Set<string>>();

  return {
    set(key, things) {
      for (const thing of on.get(key) ?? []) {
        const keys = by.get(thing);
        keys?.delete(key);
        if (keys?.size === 0) by.delete(thing);
      }
      const now = new Set(things);
      if (now.size === 0) on.delete(key);
      else on.set(key, now);
      for (const thing of now) {
        const keys = by.get(thing);
        if (keys === undefined) by.set(thing, new Set([key]));
        else keys.add(key);
      }
    },
    of: (thing) => [...(by.get(thing) ?? [])],
    has: (thing) => by.has(thing),
  };
}
