import { type Budget, ValueError } from './budget.ts';
import { type CallCost, callCost } from './cel-calls.ts';
import type { CelNode, Handle } from './cel-nodes.ts';
import { isAggregate, isPlainObject, jsonEqual, spendOnMembers } from './json-value.ts';
import { compileRegex } from './regex.ts';

/** Makes the metered form of an operation; throws an Error where the node itself cannot be allowed. */
type Metered = (handle: Handle, node: CelNode, budget: Budget) => Handle;

/** Operations whose cost depends on their operands, or that JSON values need told otherwise. By the node's `op`. */
export const OPERATIONS: ReadonlyMap<string, Metered> = new Map<string, Metered>([
  ['.', access],
  ['[]', access],
  ['==', equality(true)],
  ['!=', equality(false)],
  ['in', membership],
  ['+', addition],
  ['-', arithmetic],
  ['*', arithmetic],
  ['/', arithmetic],
  ['%', arithmetic],
  ['<', ordering],
  ['<=', ordering],
  ['>', ordering],
  ['>=', ordering],
  ['call', functionCall],
  ['rcall', methodCall],
]);

/**
 * A member of a JSON value straight away; a missing one is an error made once, since it is what conditions meet most
 * and a loop meets once per element.
 */
function access(handle: Handle, node: CelNode): Handle {
  const name = (node.args as readonly unknown[])[1];
  const missing = new ValueError(typeof name === 'string' ? `no such key: ${name}` : 'no such key');
  return (left, right, self, evaluator) => {
    if (typeof right !== 'string') return handle(left, right, self, evaluator);
    if (isPlainObject(left)) {
      const value = Object.hasOwn(left, right) ? left[right] : undefined;
      if (value === undefined) throw missing;
      return value;
    }
    if (typeof left !== 'object' || left === null || Array.isArray(left)) throw missing;
    return handle(left, right, self, evaluator);
  };
}

function equality(equal: boolean): Metered {
  return (handle, _node, budget) => (left, right, self, evaluator) => {
    if (isAggregate(left) || isAggregate(right)) return jsonEqual(left, right, budget) === equal;
    spendOnTexts(left, right, budget);
    return handle(left, right, self, evaluator);
  };
}

function membership(handle: Handle, _node: CelNode, budget: Budget): Handle {
  return (left, right, self, evaluator) => {
    if (Array.isArray(right)) {
      for (const item of right) {
        budget.spend(0.5);
        if (jsonEqual(left, item, budget)) return true;
      }
      return false;
    }
    if (isPlainObject(right)) return typeof left === 'string' && Object.hasOwn(right, left);
    return handle(left, right, self, evaluator);
  };
}

function addition(handle: Handle, node: CelNode, budget: Budget): Handle {
  const numeric = arithmetic(handle, node);
  return (left, right, self, evaluator) => {
    if (Array.isArray(left) && Array.isArray(right)) {
      budget.spend((left.length + right.length) / 4);
      return left.concat(right);
    }
    if (typeof left === 'string' && typeof right === 'string') {
      budget.spend((left.length + right.length) / 64);
      return left + right;
    }
    return numeric(left, right, self, evaluator);
  };
}

const ON_DOUBLES: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

/** JSON numbers are doubles; an integer that meets one becomes a double, so that `data.amount * 2` works. */
function arithmetic(handle: Handle, node: CelNode): Handle {
  const onDoubles = ON_DOUBLES[node.op];
  const refusal = new ValueError(`lists and maps do not take ${node.op}`);
  return (left, right, self, evaluator) => {
    if (isAggregate(left) || isAggregate(right)) throw refusal;
    if (onDoubles !== undefined && isMixed(left, right)) return onDoubles(Number(left), Number(right));
    return handle(left, right, self, evaluator);
  };
}

function isMixed(left: unknown, right: unknown): boolean {
  if (typeof left === 'number') return typeof right === 'number' || typeof right === 'bigint';
  return typeof left === 'bigint' && typeof right === 'number';
}

function ordering(handle: Handle, _node: CelNode, budget: Budget): Handle {
  const unordered = new ValueError('lists and maps have no order');
  return (left, right, self, evaluator) => {
    if (isAggregate(left) || isAggregate(right)) throw unordered;
    spendOnTexts(left, right, budget);
    return handle(left, right, self, evaluator);
  };
}

function functionCall(handle: Handle, node: CelNode, budget: Budget): Handle {
  const [name, operands] = node.args as readonly [string, readonly CelNode[]];
  if (name === 'matches') return matching(operands[1], budget);
  const cost = callCost(name);
  if (name === 'size') return sizing(handle, budget, cost);
  return (args, self, evaluator, rest) => {
    budget.spend(cost(args as readonly unknown[], budget));
    return handle(args, self, evaluator, rest);
  };
}

function methodCall(handle: Handle, node: CelNode, budget: Budget): Handle {
  const [name, , operands] = node.args as readonly [string, CelNode, readonly CelNode[]];
  if (name === 'matches') return matching(operands[0], budget);
  const cost = callCost(name);
  if (name === 'size') return sizing(handle, budget, cost);
  return (args, evaluator, self, rest) => {
    budget.spend(cost(args as readonly unknown[], budget));
    return handle(args, evaluator, self, rest);
  };
}

/** Both spellings of size(): an aggregate's without asking for the type of all that it holds. */
function sizing(handle: Handle, budget: Budget, cost: CallCost): Handle {
  return (args, second, third, rest) => {
    const subject = (args as readonly unknown[])[0];
    if (Array.isArray(subject)) return BigInt(subject.length);
    if (isPlainObject(subject)) {
      const size = Object.keys(subject).length;
      spendOnMembers(size, budget);
      return BigInt(size);
    }
    budget.spend(cost(args as readonly unknown[], budget));
    return handle(args, second, third, rest);
  };
}

/** `matches` on a linear-time engine, its pattern compiled once. */
function matching(pattern: CelNode | undefined, budget: Budget): Handle {
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new Error(
      'matches() takes its pattern as a text written in the expression, so that its cost has a bound',
    );
  }
  const regex = compileRegex(pattern.args);
  const notText = new ValueError('matches() needs a text to look at');
  return (args) => {
    const text = (args as readonly unknown[])[0];
    if (typeof text !== 'string') throw notText;
    return regex.search(text, budget);
  };
}

function spendOnTexts(left: unknown, right: unknown, budget: Budget): void {
  if (typeof left === 'string' && typeof right === 'string' && left.length > 1000)
    budget.spend(left.length / 1000);
}
