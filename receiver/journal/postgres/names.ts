import { texts } from './binary-array.ts';
import type { Queries } from './queries.ts';

const ADD = {
  name: 'name-add',
  text: 'INSERT INTO name (text) SELECT unnest($1::text[]) ORDER BY 1 ON CONFLICT DO NOTHING',
};
const FIND = { name: 'name-find', text: 'SELECT id, text FROM name WHERE text = ANY($1::text[])' };
const READ = { name: 'name-read', text: 'SELECT id, text FROM name WHERE id = ANY($1::int4[])' };

/** Texts that come again and again, by number: a name is never taken away, so what is known stays true. */
export interface Names {
  /** Makes the numbers of these known, for `id`. */
  define(on: Queries, wanted: Iterable<string>): Promise<void>;
  /** The number of a name that was defined. */
  id(text: string): number;
  /** The number, if there is one. */
  find(on: Queries, text: string): Promise<number | undefined>;
  /** Makes the texts of these known, for `text`. */
  read(on: Queries, ids: Iterable<number>): Promise<void>;
  text(id: number): string;
}

/** Makes an empty cache of the table. */
export function createNames(): Names {
  const byText = new Map<string, number>();
  const byId = new Map<number, string>();

  async function learn(
    on: Queries,
    statement: { name: string; text: string },
    value: unknown,
  ): Promise<void> {
    const { rows } = await on.query({ ...statement, values: [value] });
    for (const { id, text } of rows as { id: number; text: string }[]) {
      byText.set(text, id);
      byId.set(id, text);
    }
  }

  return {
    async define(on, wanted) {
      let missing: string[] | undefined;
      for (const text of wanted) if (!byText.has(text)) (missing ??= []).push(text);
      if (missing === undefined) return;
      await on.query({ ...ADD, values: [texts([...new Set(missing)])] });
      await learn(on, FIND, texts(missing));
    },
    id(text) {
      const id = byText.get(text);
      if (id === undefined) throw new Error(`the name ${text} was not defined`);
      return id;
    },
    async find(on, text) {
      if (!byText.has(text)) await learn(on, FIND, texts([text]));
      return byText.get(text);
    },
    async read(on, ids) {
      const missing = [...new Set(ids)].filter((id) => !byId.has(id));
      if (missing.length > 0) await learn(on, READ, missing);
    },
    text: (id) => byId.get(id) ?? '',
  };
}
