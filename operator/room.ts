/** Room for so many tasks at once, with a door for those that wait and one for those that cannot. */
export interface Room {
  /** Runs the task once there is room, in order. */
  whenFree<T>(task: () => Promise<T>): Promise<T>;
  /** Runs it at once, and lets the others wait for longer. */
  atOnce<T>(task: () => Promise<T>): Promise<T>;
}

/** Makes room for `most`. */
export function createRoom(most: number): Room {
  const waiting: (() => void)[] = [];
  let inside = 0;

  async function run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } finally {
      inside -= 1;
      if (inside < most && waiting.length > 0) {
        // Whoever comes in is counted by who lets in, so that none overtakes.
        inside += 1;
        waiting.shift()?.();
      }
    }
  }

  return {
    async whenFree(task) {
      if (inside >= most) await new Promise<void>((resolve) => waiting.push(resolve));
      else inside += 1;
      return run(task);
    },
    atOnce(task) {
      inside += 1;
      return run(task);
    },
  };
}
