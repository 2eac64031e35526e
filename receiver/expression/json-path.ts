import { JSONPathEnvironment, jsonpath, TokenKind } from 'json-p3';
import { type Compiled, compiled, refused } from '../errors.ts';
import { type Budget, createBudget } from './budget.ts';
import { compileTest } from './json-path-filter.ts';
import {
  childSegment,
  descendantSegment,
  type Run,
  type Segment,
  type Selector,
  selectAll,
  selectFiltered,
  selectIndex,
  selectName,
  selectSlice,
} from './json-path-select.ts';
import { isPlainObject } from './json-value.ts';

/**
 * A compiled query: the values it selects, in document order. Throws CostExceeded where the query and the value
 * together would take too long.
 */
export type JsonPath = (root: unknown) => readonly unknown[];

/** Longest query, in characters. */
export const MAX_JSON_PATH_LENGTH = 2048;

const { selectors } = jsonpath;

/**
 * Compiles a JSONPath (RFC 9535) once. The library parses and checks; evaluation is ours, because a step budget and
 * another regular-expression engine cannot be put into the library's. `match` and `search` have RE2 syntax and take
 * linear time; their pattern is a literal. Paths that make one thing together spend from one budget, `shared`, which
 * whoever runs them resets.
 */
export function compileJsonPath(source: string, path: string, shared?: Budget): Compiled<JsonPath> {
  if (source.length > MAX_JSON_PATH_LENGTH) {
    return refused(path, `is longer than ${MAX_JSON_PATH_LENGTH} characters: shorten the JSONPath`);
  }
  try {
    const query = new JSONPathEnvironment().compile(source);
    const direct = singularPath(query);
    if (direct !== undefined) return compiled(direct);
    const select = compileQuery(query);
    if (shared !== undefined) return compiled((root) => select(root, { root, budget: shared }));
    const budget = createBudget();
    return compiled((root) => {
      budget.reset();
      return select(root, { root, budget });
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return refused(path, `"${source}" is no valid JSONPath: ${reason}`);
  }
}

const NONE: readonly unknown[] = [];

/** A path of names and indexes alone, which is nearly every path, walked without lists in between. */
function singularPath(query: jsonpath.JSONPathQuery): JsonPath | undefined {
  if (!query.singularQuery()) return undefined;
  const keys: (string | number)[] = [];
  for (const {
    selectors: [selector],
  } of query.segments) {
    if (selector instanceof selectors.NameSelector) keys.push(selector.name);
    else if (selector instanceof selectors.IndexSelector) keys.push(selector.index);
    else return undefined;
  }
  return (root) => {
    let value = root;
    for (const key of keys) {
      if (typeof key === 'string') {
        if (!isPlainObject(value) || !Object.hasOwn(value, key)) return NONE;
        value = value[key];
      } else {
        if (!Array.isArray(value)) return NONE;
        const at = key < 0 ? value.length + key : key;
        if (at < 0 || at >= value.length) return NONE;
        value = value[at];
      }
    }
    return [value];
  };
}

function compileQuery(query: jsonpath.JSONPathQuery): (start: unknown, run: Run) => readonly unknown[] {
  const segments = query.segments.map(compileSegment);
  return (start, run) => {
    let nodes: unknown[] = [start];
    for (const segment of segments) {
      const selected: unknown[] = [];
      run.budget.spend(nodes.length);
      for (const node of nodes) segment(node, run, selected);
      nodes = selected;
    }
    return nodes;
  };
}

function compileSegment(segment: jsonpath.JSONPathSegment): Segment {
  const chosen = segment.selectors.map(compileSelector);
  return segment.token.kind === TokenKind.DDOT ? descendantSegment(chosen) : childSegment(chosen);
}

function compileSelector(selector: jsonpath.JSONPathSelector): Selector {
  if (selector instanceof selectors.NameSelector) return selectName(selector.name);
  if (selector instanceof selectors.IndexSelector) return selectIndex(selector.index);
  if (selector instanceof selectors.SliceSelector)
    return selectSlice(selector.start, selector.stop, selector.step);
  if (selector instanceof selectors.FilterSelector)
    return selectFiltered(compileTest(selector.expression, compileQuery));
  if (selector instanceof selectors.WildcardSelector) return selectAll();
  throw new Error(`the selector ${selector.toString()} is not part of RFC 9535`);
}
