import type { KeptRefusal } from './refusal-log.ts';

/** What the list of refusals can be narrowed by; `since` and `until` are times of refusal. */
export interface RefusalQuery {
  readonly entrance?: string;
  readonly code?: string;
  /** The event's id. */
  readonly id?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  /** Where the last page ended: its `next`. */
  readonly cursor?: string;
}

/** Whether a refusal is asked for, and the last page has not shown it yet. */
export function isAskedFor(refusal: KeptRefusal, query: RefusalQuery): boolean {
  const { entrance, code, id, since, until, cursor } = query;
  return (
    (cursor === undefined || refusal.id < cursor) &&
    (entrance === undefined || refusal.entrance === entrance) &&
    (code === undefined || refusal.code === code) &&
    (id === undefined || refusal.event === id) &&
    (since === undefined || refusal.at >= since) &&
    (until === undefined || refusal.at <= until)
  );
}

/** The newest first, each once. */
export function newestOf(refusals: readonly KeptRefusal[], most: number): readonly KeptRefusal[] {
  const each = new Map(refusals.map((refusal) => [refusal.id, refusal]));
  return [...each.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, most);
}
