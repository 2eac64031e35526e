import { loadAll, YAMLException } from 'js-yaml';

/** One resource as it was written, and the file that holds it. */
export interface Document {
  readonly file: string;
  readonly value: unknown;
}

/** A file's documents, or why it cannot be read as YAML: `FILE:LINE: what is wrong, and the remedy`. */
export type ParsedFile =
  | { readonly ok: true; readonly documents: readonly Document[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads YAML (JSON is YAML too) of any number of documents; empty ones don't count, and a `List` counts as its items.
 * The problem quotes nothing of the file: the line may hold a secret.
 */
export function parseManifests(file: string, text: string): ParsedFile {
  let values: readonly unknown[];
  try {
    values = loadAll(text);
  } catch (error) {
    return { ok: false, problem: syntaxProblem(file, error) };
  }
  const documents = values.filter((value) => value !== null && value !== undefined).flatMap(listItems);
  return { ok: true, documents: documents.map((value) => ({ file, value })) };
}

function syntaxProblem(file: string, error: unknown): string {
  if (!(error instanceof YAMLException)) return `${file}: is not YAML; check what the file holds.`;
  // An error that shows only at the end of a block is marked one past the last line: name the line the author can see.
  const line = error.mark === undefined ? '' : `:${error.mark.line + 1}`;
  return `${file}${line}: is not valid YAML (${plainReason(error.reason)}); correct this line or the one above it.`;
}

/** Only the parser's own words: an alias or a tag that it quotes comes from the file. */
function plainReason(reason: string): string {
  return reason.replace(/\s*["!*&<].*$/s, '');
}

function listItems(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'List')
    return [value];
  return 'items' in value && Array.isArray(value.items) ? (value.items as unknown[]) : [];
}
