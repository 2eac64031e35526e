import type { Budget } from './budget.ts';
import { isPlainObject, spendOnMembers } from './json-value.ts';

/** What one evaluation of a query goes by. */
export interface Run {
  readonly root: unknown;
  readonly budget: Budget;
}

/** Appends what it selects of `value`'s children (RFC 9535 section 2.3). */
export type Selector = (value: unknown, run: Run, out: unknown[]) => void;

/** Appends what it selects of `value` and its descendants (RFC 9535 section 2.5). */
export type Segment = (value: unknown, run: Run, out: unknown[]) => void;

/** A test of a child, in a filter selector. */
export type Test = (current: unknown, run: Run) => boolean;

export function selectName(name: string): Selector {
  return (value, _run, out) => {
    if (isPlainObject(value) && Object.hasOwn(value, name)) out.push(value[name]);
  };
}

export function selectIndex(index: number): Selector {
  return (value, _run, out) => {
    if (!Array.isArray(value)) return;
    const at = index < 0 ? value.length + index : index;
    if (at >= 0 && at < value.length) out.push(value[at]);
  };
}

export function selectAll(): Selector {
  return (value, run, out) => {
    for (const child of childrenOf(value, run.budget)) out.push(child);
  };
}

export function selectFiltered(test: Test): Selector {
  return (value, run, out) => {
    for (const child of childrenOf(value, run.budget)) if (test(child, run)) out.push(child);
  };
}

function clamp(index: number, low: number, high: number): number {
  return Math.min(Math.max(index, low), high);
}

/** Slices as section 2.3.4.2.2 computes them. */
export function selectSlice(start: number | undefined, end: number | undefined, step: number = 1): Selector {
  return (value, run, out) => {
    if (!Array.isArray(value) || step === 0) return;
    const { length } = value;
    const normal = (index: number) => (index >= 0 ? index : length + index);
    if (step > 0) {
      const upper = clamp(normal(end ?? length), 0, length);
      for (let i = clamp(normal(start ?? 0), 0, length); i < upper; i += step) {
        run.budget.spend(1);
        out.push(value[i]);
      }
      return;
    }
    const lower = end === undefined ? -1 : clamp(normal(end), -1, length - 1);
    for (let i = clamp(normal(start ?? length - 1), -1, length - 1); i > lower; i += step) {
      run.budget.spend(1);
      out.push(value[i]);
    }
  };
}

export function childSegment(selectors: readonly Selector[]): Segment {
  const [only] = selectors;
  if (only !== undefined && selectors.length === 1) return only;
  return (value, run, out) => {
    for (const select of selectors) select(value, run, out);
  };
}

/** Visits in document order with a stack of its own: nesting has no bound but the budget. */
export function descendantSegment(selectors: readonly Selector[]): Segment {
  const select = childSegment(selectors);
  return (value, run, out) => {
    const waiting: unknown[] = [value];
    while (waiting.length > 0) {
      const visited = waiting.pop();
      run.budget.spend(1);
      select(visited, run, out);
      const children = childrenOf(visited, run.budget);
      for (let i = children.length - 1; i >= 0; i--) waiting.push(children[i]);
    }
  };
}

const NONE: readonly unknown[] = [];

/** Children in document order, each paid for. */
function childrenOf(value: unknown, budget: Budget): readonly unknown[] {
  if (Array.isArray(value)) {
    budget.spend(value.length);
    return value;
  }
  if (!isPlainObject(value)) return NONE;
  // Names first: of a large object, its values all at once take more than twice the time.
  const names = Object.keys(value);
  budget.spend(names.length / 2);
  spendOnMembers(names.length, budget);
  return names.map((name) => value[name]);
}
