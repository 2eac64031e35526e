/** A map with more changes in it than this is made anew. */
const MOST_PATCHED = 512;

/**
 * The map with some values put or, where undefined, removed. The map itself stays as it is. Costs as much as what has
 * changed of late, not as much as the whole; only what is put and what stays keep no order between them.
 */
export function patchMap<V extends object>(
  map: ReadonlyMap<string, V>,
  changes: ReadonlyMap<string, V | undefined>,
): ReadonlyMap<string, V> {
  if (changes.size === 0) return map;
  const { base, patch } =
    map instanceof PatchedMap ? map : { base: map, patch: new Map<string, V | undefined>() };
  const patched = new PatchedMap<V>(base, new Map([...patch, ...changes]));
  return patched.patch.size > MOST_PATCHED ? new Map(patched) : patched;
}

class PatchedMap<V extends object> implements ReadonlyMap<string, V> {
  readonly base: ReadonlyMap<string, V>;
  readonly patch: ReadonlyMap<string, V | undefined>;
  readonly size: number;

  constructor(base: ReadonlyMap<string, V>, patch: ReadonlyMap<string, V | undefined>) {
    this.base = base;
    this.patch = patch;
    let { size } = base;
    for (const [key, value] of patch) size += Number(value !== undefined) - Number(base.has(key));
    this.size = size;
  }

  get(key: string): V | undefined {
    const value = this.patch.get(key);
    if (value !== undefined) return value;
    return this.patch.has(key) ? undefined : this.base.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[string, V]> {
    for (const one of this.base) if (!this.patch.has(one[0])) yield one;
    for (const [key, value] of this.patch) if (value !== undefined) yield [key, value];
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  forEach(callback: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this);
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }
}
