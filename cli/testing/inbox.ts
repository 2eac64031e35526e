/** Things that come one after another, and can be waited for. */
export interface Inbox<T> {
  readonly all: readonly T[];
  add(item: T): void;
  /** Resolves with the first that fits, among those that came and those that will come. */
  next(fits: (item: T) => boolean): Promise<T>;
}

export function inbox<T>(): Inbox<T> {
  const all: T[] = [];
  const waiting = new Set<(item: T) => void>();
  return {
    all,
    add(item) {
      all.push(item);
      for (const look of waiting) look(item);
    },
    next(fits) {
      const found = all.find(fits);
      if (found !== undefined) return Promise.resolve(found);
      return new Promise((resolve) => {
        const look = (item: T): void => {
          if (!fits(item)) return;
          waiting.delete(look);
          resolve(item);
        };
        waiting.add(look);
      });
    },
  };
}
