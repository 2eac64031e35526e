/** Lets callers wait until a routing revision is in force: what the operator confirms by. */
export interface RevisionGate {
  readonly revision: number;
  /** Answers the revision in force: at once where it is at least `atLeast`, else when it is, else after `waitMs`. */
  reached(atLeast: number, waitMs: number): Promise<number>;
  /** A revision is in force now. */
  passed(revision: number): void;
}

/** Makes a gate. */
export function createRevisionGate(): RevisionGate {
  let revision = 0;
  const waiting = new Set<() => void>();
  return {
    get revision() {
      return revision;
    },
    reached(atLeast, waitMs) {
      if (revision >= atLeast || waitMs <= 0) return Promise.resolve(revision);
      return new Promise((resolve) => {
        const look = () => {
          if (revision >= atLeast) end();
        };
        const end = () => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(revision);
        };
        const timer = setTimeout(end, waitMs);
        waiting.add(look);
      });
    },
    passed(now) {
      revision = now;
      waiting.forEach((look) => look());
    },
  };
}
