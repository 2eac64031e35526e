import { buildIndex, type Index, type Indexed } from './index.ts';

/**
 * An index without some of its items and with others beside them. Costs as much as what is added, not as much as the
 * whole: an edit of one trigger among ten thousand must not stop the events meanwhile.
 */
export function patchIndex<T extends Indexed>(
  index: Index<T>,
  gone: ReadonlySet<T>,
  added: readonly T[],
): Index<T> {
  const beside = buildIndex(added);
  return {
    match(event) {
      const found = index.match(event);
      const kept = found.some((item) => gone.has(item)) ? found.filter((item) => !gone.has(item)) : found;
      const more = beside.match(event);
      if (more.length === 0) return kept;
      return [...kept, ...more].sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    size: index.size - gone.size + added.length,
  };
}
