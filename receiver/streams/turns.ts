/** Does work one after the other where it concerns the same things, so that it need not be decided twice. */
export type InTurn = <T>(things: readonly string[], work: () => Promise<T>) => Promise<T>;

/** Makes it. All that a piece of work concerns is taken at once, so that no two wait for each other. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<void>>();
  return async (things, work) => {
    const before = things.flatMap((thing) => last.get(thing) ?? []);
    let end: (() => void) | undefined;
    const mine = new Promise<void>((resolve) => {
      end = resolve;
    });
    for (const thing of things) last.set(thing, mine);
    if (before.length > 0) await Promise.all(before);
    try {
      return await work();
    } finally {
      end?.();
      for (const thing of things) if (last.get(thing) === mine) last.delete(thing);
    }
  };
}
