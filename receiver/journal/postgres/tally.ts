import { int8s, texts } from './binary-array.ts';
import { type Queries, send } from './queries.ts';

/** What rows of a table take beside their texts and data, roughly: header, fixed columns, index entries. */
export const ROW_BYTES = { event: 160, key: 130, delivery: 200 } as const;

const ADD = {
  name: 'tally-add',
  text: `INSERT INTO tally SELECT $1::int8, * FROM unnest($2::text[], $3::text[], $4::text[], $5::int8[])
    ON CONFLICT (slot, kind, owner, status) DO UPDATE SET n = tally.n + excluded.n`,
};

/** Numbers that a transaction adds to those of its session. */
export interface Tally {
  add(kind: string, owner: string, status: string, n: number): void;
  /** Sends what was added, if it was anything. */
  write(on: Queries, session: string): void;
}

/** Makes one in which nothing was added. */
export function createTally(): Tally {
  const added = new Map<string, { kind: string; owner: string; status: string; n: number }>();
  return {
    add(kind, owner, status, n) {
      const key = `${kind}\n${owner}\n${status}`;
      const entry = added.get(key);
      if (entry === undefined) added.set(key, { kind, owner, status, n });
      else entry.n += n;
    },
    write(on, session) {
      const rows = [...added].filter(([, { n }]) => n !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
      if (rows.length === 0) return;
      const values = rows.map(([, row]) => row);
      send(on, {
        ...ADD,
        values: [
          session,
          texts(values.map(({ kind }) => kind)),
          texts(values.map(({ owner }) => owner)),
          texts(values.map(({ status }) => status)),
          int8s(values.map(({ n }) => n)),
        ],
      });
    },
  };
}
