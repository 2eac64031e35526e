import type { CloudEvent } from '../event/event.ts';

/** One condition that an event met or did not, as `explain` tells it. */
export interface Clause {
  /** Path in the spec: `spec.filters[0].exact.type`. */
  readonly field: string;
  readonly met: boolean;
  /** One sentence: `type is "a.b", not "a.c"`. Quotes event values, shortened to 100 characters. */
  readonly because: string;
}

/** Something every event must have for a trigger to match: what the index files it under. */
export interface Anchor {
  readonly attribute: string;
  readonly dialect: 'exact' | 'prefix';
  /** Any one of them suffices. */
  readonly values: readonly string[];
}

/** A trigger's filters, condition and job-type rule, compiled once. */
export interface Matcher {
  /** All filters, then the condition, then the job type. Never throws: an error is no match. */
  matches(event: CloudEvent): boolean;
  /** The same decision told clause by clause. Costs more; asked for only by explain. */
  explain(event: CloudEvent): readonly Clause[];
  /** The most selective necessary condition, or undefined where there is none to index by. */
  readonly anchor: Anchor | undefined;
}
