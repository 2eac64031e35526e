import { type Budget, ValueError } from './budget.ts';
import {
  type CelNode,
  type Comprehension,
  countNodes,
  type Evaluate,
  type Handle,
  walk,
} from './cel-nodes.ts';
import { OPERATIONS } from './cel-operations.ts';
import { spendOnMembers } from './json-value.ts';

/** Steps for an error inside a loop, which may swallow one per element: an error made once, and one made anew. */
const VALUE_ERROR_STEPS = 10;
const ERROR_STEPS = 500;

/** Something that a checked expression may not do; `pos` is where in the source. */
export interface Refusal {
  readonly pos: number;
  readonly message: string;
}

/** Puts a checked expression on a budget, in place. Returns what it may not do at all. */
export function meter(root: CelNode, budget: Budget): readonly Refusal[] {
  const refusals: Refusal[] = [];
  // Collected before anything is changed: counting a loop's body walks the same nodes.
  const nodes: { node: CelNode; inLoop: boolean }[] = [];
  walk(root, (node, inLoop) => nodes.push({ node, inLoop }));
  for (const { node, inLoop } of nodes) {
    if (node.op === 'comprehension') meterLoop(node, budget);
    else if (node.op === 'id') readDirectly(node);
    else meterOperation(node, inLoop, budget, refusals);
  }
  return refusals;
}

/** The engine asks for a variable's type by its `constructor`, which in JSON may be any member. */
function readDirectly(node: CelNode): void {
  const name = node.args as string;
  const read = node.meta.evaluate;
  node.setMeta('evaluate', (evaluator, self, context) => {
    const value = context.getValue(name);
    return value === undefined ? read(evaluator, self, context) : value;
  });
}

function meterOperation(node: CelNode, inLoop: boolean, budget: Budget, refusals: Refusal[]): void {
  const operation = OPERATIONS.get(node.op);
  if (operation === undefined || node.handle === undefined || node.meta.macro !== undefined) return;
  try {
    const metered = operation(node.handle, node, budget);
    node.handle = inLoop ? chargingErrors(metered, budget) : metered;
  } catch (error) {
    refusals.push({ pos: node.pos, message: error instanceof Error ? error.message : String(error) });
  }
}

function chargingErrors(handle: Handle, budget: Budget): Handle {
  return (a, b, c, d) => {
    try {
      return handle(a, b, c, d);
    } catch (error) {
      charge(error, budget);
      throw error;
    }
  };
}

function charge(error: unknown, budget: Budget): void {
  if (!budget.exceeded) budget.spend(error instanceof ValueError ? VALUE_ERROR_STEPS : ERROR_STEPS);
}

/**
 * Each round pays for its body. `all` and `exists` swallow the errors of a round, the budget's too: once it is spent,
 * a round gives the value that ends the loop instead, and the outcome is thrown away by whoever asks for it.
 */
function meterLoop(node: CelNode, budget: Budget): void {
  const loop = node.args as Comprehension;
  const run = loop.step.meta.evaluate;
  const steps = countNodes(loop.step);
  const ending = endingValue(loop);
  const round: Evaluate = (evaluator, self, context) => {
    if (ending !== undefined && budget.exceeded) return ending;
    try {
      budget.spend(steps);
      return run(evaluator, self, context);
    } catch (error) {
      if (ending !== undefined) charge(error, budget);
      throw error;
    }
  };
  loop.step.setMeta('evaluate', round);
  const handle = node.handle;
  if (handle !== undefined) node.handle = overKeys(handle, budget);
}

/** What a round must give for an error-swallowing loop to end, or undefined where errors end it. */
function endingValue(loop: Comprehension): boolean | undefined {
  const goesOn = loop.condition;
  if (loop.errorsAreFatal || goesOn === undefined) return undefined;
  return goesOn(false);
}

/** Looping over a map lists its keys first, however few rounds follow. */
function overKeys(handle: Handle, budget: Budget): Handle {
  return (range, args, evaluator, context) => {
    if (typeof range !== 'object' || range === null || Array.isArray(range))
      return handle(range, args, evaluator, context);
    if (range instanceof Map || range instanceof Set) return handle(range, args, evaluator, context);
    const keys = Object.keys(range);
    spendOnMembers(keys.length, budget);
    return handle(keys, args, evaluator, context);
  };
}
