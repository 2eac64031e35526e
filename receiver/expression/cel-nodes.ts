/**
 * A checked expression as @marcbachmann/cel-js 8.0.0 runs it: what of its inside we rely on, in one place. The library
 * has no hook for a step budget or another regular-expression engine; each operation node, however, keeps the function
 * that carries it out in `handle` once it is checked, and that is where `cel-operations.ts` steps in. The version is
 * pinned, and `cel.test.ts` fails where a newer one differs.
 */
export interface CelNode {
  readonly op: string;
  readonly args: unknown;
  readonly pos: number;
  /** Carries the operation out on evaluated operands; set by the check. */
  handle?: Handle;
  readonly meta: {
    readonly evaluate: Evaluate;
    /** What runs in this node's place: a constant's value, a macro's comprehension. */
    readonly alternate?: CelNode;
    readonly macro?: Readonly<Record<string, unknown>>;
  };
  setMeta(key: 'evaluate', value: Evaluate): unknown;
}

export type Evaluate = (evaluator: unknown, node: unknown, context: Context) => unknown;

/** Where variables have their values. */
export interface Context {
  getValue(name: string): unknown;
}

/**
 * Operand order by kind of node: unary (operand, node, evaluator); binary and access (left, right, node, evaluator);
 * call (operands, node, evaluator); receiver call (operands, evaluator, node); comprehension (range, args, …).
 */
export type Handle = (a: unknown, b: unknown, c: unknown, d: unknown) => unknown;

/** `args` of a comprehension node. */
export interface Comprehension {
  readonly kind?: string;
  readonly errorsAreFatal: boolean;
  readonly iterable: CelNode;
  readonly init: CelNode;
  readonly step: CelNode;
  /** Whether to go on, by what has been found so far. */
  readonly condition?: (found: unknown) => boolean;
}

function isNode(value: unknown): value is CelNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'meta' in value;
}

/** The nodes that run for `node`, its own first; `inLoop` tells whether they run once per element of something. */
export function walk(root: CelNode, visit: (node: CelNode, inLoop: boolean) => void): void {
  const seen = new Set<CelNode>();
  const descend = (value: unknown, inLoop: boolean): void => {
    if (Array.isArray(value)) {
      for (const item of value) descend(item, inLoop);
      return;
    }
    if (!isNode(value) || seen.has(value)) return;
    seen.add(value);
    const { alternate, macro } = value.meta;
    if (alternate !== undefined) return descend(alternate, inLoop);
    visit(value, inLoop);
    if (macro !== undefined) return descend(Object.values(macro), inLoop);
    if (value.op !== 'comprehension') return descend(value.args, inLoop);
    const parts = value.args as Comprehension;
    descend([parts.iterable, parts.init], inLoop);
    descend(parts.step, true);
  };
  descend(root, false);
}

/** How many nodes run for one evaluation of `root`, inner loops counted once. */
export function countNodes(root: CelNode): number {
  let count = 0;
  walk(root, () => {
    count++;
  });
  return count;
}
