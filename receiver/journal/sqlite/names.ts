import type { DatabaseSync } from 'node:sqlite';

/** Entrances, triggers and Shape hashes by number: as the writer on the other thread counts them, and as rows hold them. */
export interface Names {
  /** The writer's next number stands for this text from now on. */
  define(text: string): void;
  /** The row id of what the writer means; the name is stored where it is new. */
  id(wire: number): number;
  /** The text that the writer means. */
  told(wire: number): string;
  /** The row id of a text, or 0 where no row has it. */
  idOf(text: string): number;
  text(id: number): string;
  /** The transaction was rolled back: row ids made in it are void. */
  rolledBack(): void;
}

/** Opens the table of names. */
export function openNames(db: DatabaseSync): Names {
  const insert = db.prepare('INSERT INTO name (text) VALUES (?) RETURNING id');
  const byText = db.prepare('SELECT id FROM name WHERE text = ?');
  const byId = db.prepare('SELECT text FROM name WHERE id = ?');
  const wireTexts: string[] = [];
  const wireIds: number[] = [];
  const texts = new Map<number, string>();

  function store(text: string): number {
    const row = (byText.get(text) ?? insert.get(text)) as { id: number };
    return row.id;
  }

  return {
    define(text) {
      wireTexts.push(text);
      wireIds.push(0);
    },
    id(wire) {
      const known = wireIds[wire];
      if (known !== undefined && known !== 0) return known;
      const id = store(wireTexts[wire] ?? '');
      wireIds[wire] = id;
      return id;
    },
    told: (wire) => wireTexts[wire] ?? '',
    idOf: (text) => (byText.get(text) as { id: number } | undefined)?.id ?? 0,
    text(id) {
      const known = texts.get(id);
      if (known !== undefined) return known;
      const text = (byId.get(id) as { text: string } | undefined)?.text ?? '';
      texts.set(id, text);
      return text;
    },
    rolledBack() {
      wireIds.fill(0);
      texts.clear();
    },
  };
}
