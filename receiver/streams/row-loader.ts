import type { Journal, StateRow } from '../journal/journal.ts';

/** Rows that one question asks for at most, so that the journal is soon free for others. */
const TOGETHER = 32;

/** Reads one row. */
export type LoadRow = (kind: string, id: string) => Promise<StateRow | undefined>;

interface Wanted {
  readonly id: string;
  readonly resolve: (row: StateRow | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes it. What is wanted in one turn of the loop is asked for together: a question costs more than its answer. */
export function createRowLoader(journal: Pick<Journal, 'rows'>): LoadRow {
  let wanted = new Map<string, Wanted[]>();

  async function ask(kind: string, some: readonly Wanted[]): Promise<void> {
    try {
      const rows = await journal.rows(
        kind,
        some.map(({ id }) => id),
      );
      for (const [i, { resolve }] of some.entries()) resolve(rows[i]);
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }

  function askAll(): void {
    const all = wanted;
    wanted = new Map();
    for (const [kind, some] of all)
      for (let from = 0; from < some.length; from += TOGETHER)
        void ask(kind, some.slice(from, from + TOGETHER));
  }

  return (kind, id) =>
    new Promise((resolve, reject) => {
      if (wanted.size === 0) setImmediate(askAll);
      const some = wanted.get(kind) ?? [];
      some.push({ id, resolve, reject });
      wanted.set(kind, some);
    });
}
