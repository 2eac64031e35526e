import type { Budget } from '../budget.ts';
import { cast, toText } from './cast.ts';
import { Complaint, functionFor, missingFunction } from './functions.ts';
import { compileLike } from './like.ts';
import type { Arithmetic, Node, NodeOf, Ordering } from './syntax.ts';
import {
  type Attributes,
  Failure,
  isFailure,
  MAX_INTEGER,
  MIN_INTEGER,
  type Outcome,
  type Type,
  typeOf,
  type Value,
  zeroOf,
} from './value.ts';

/** A compiled node. Throws CostExceeded where texts are long enough to cost too much. */
export type Evaluate<V extends Value = Value> = (attributes: Attributes) => Outcome<V>;

type Compiler<N extends Node> = (node: N, budget: Budget) => Evaluate;

/**
 * Compiles a node into a function. The first error ends the evaluation ("fail fast", CESQL 1.0.0 section 4.1), as
 * section 1.2 asks for in filters.
 */
export function compile(node: Node, budget: Budget): Evaluate {
  const compiler = COMPILERS[node.kind] as Compiler<Node>;
  return compiler(node, budget);
}

const COMPILERS: { readonly [Kind in Node['kind']]: Compiler<NodeOf<Kind>> } = {
  literal:
    ({ value }) =>
    () =>
      value,
  attribute: compileAttribute,
  exists:
    ({ name }) =>
    (attributes) =>
      attributes[name] !== undefined,
  not: compileNot,
  negate: compileNegate,
  like: compileLikeNode,
  in: compileIn,
  arithmetic: compileArithmetic,
  equality: compileEquality,
  ordering: compileOrdering,
  logic: compileLogic,
  call: compileCall,
};

/** The type of what a node yields; undefined for an attribute, whose type is its value's. */
export function staticType(node: Node): Type | undefined {
  switch (node.kind) {
    case 'literal':
      return typeOf(node.value);
    case 'attribute':
      return undefined;
    case 'negate':
    case 'arithmetic':
      return 'Integer';
    case 'call':
      return functionFor(node.name, node.args.length)?.returns ?? 'Boolean';
    default:
      return 'Boolean';
  }
}

/** A node's value cast to a type, without a look at it where the type is known. */
function compileAs(node: Node, type: Type, budget: Budget): Evaluate {
  const evaluate = compile(node, budget);
  if (staticType(node) === type) return evaluate;
  return (attributes) => cast(evaluate(attributes), type, node);
}

function compileAttribute(node: NodeOf<'attribute'>): Evaluate {
  const { name } = node;
  const missing = new Failure('missingAttribute', `the event has no ${name}`, node, false);
  return (attributes) => attributes[name] ?? missing;
}

function compileNot({ operand }: NodeOf<'not'>, budget: Budget): Evaluate {
  const evaluate = compileAs(operand, 'Boolean', budget);
  return (attributes) => {
    const value = evaluate(attributes);
    return isFailure(value) ? value : !value;
  };
}

function compileNegate(node: NodeOf<'negate'>, budget: Budget): Evaluate {
  const evaluate = compileAs(node.operand, 'Integer', budget) as Evaluate<number>;
  return (attributes) => {
    const value = evaluate(attributes);
    return isFailure(value) ? value : inRange(-value, node);
  };
}

function compileLikeNode({ operand, pattern }: NodeOf<'like'>, budget: Budget): Evaluate {
  const evaluate = compile(operand, budget);
  const like = compileLike(pattern);
  return (attributes) => {
    const value = evaluate(attributes);
    return isFailure(value) ? value : like.matches(toText(value), budget);
  };
}

/** Section 3.4.5: each element is cast to the type of what is looked for. */
function compileIn({ operand, set }: NodeOf<'in'>, budget: Budget): Evaluate {
  const evaluate = compile(operand, budget);
  const elements = set.map((node) => ({ node, evaluate: compile(node, budget) }));
  return (attributes) => {
    const wanted = evaluate(attributes);
    if (isFailure(wanted)) return wanted;
    const type = typeOf(wanted);
    for (const element of elements) {
      const value = cast(element.evaluate(attributes), type, element.node);
      if (isFailure(value)) return value;
      if (equal(wanted, value, budget)) return true;
    }
    return false;
  };
}

/** Section 3.7: the left operand is cast to the type of the right one. */
function compileEquality(node: NodeOf<'equality'>, budget: Budget): Evaluate {
  const left = compile(node.left, budget);
  const right = compile(node.right, budget);
  const wanted = node.equal;
  return (attributes) => {
    const one = left(attributes);
    if (isFailure(one)) return one;
    const other = right(attributes);
    if (isFailure(other)) return other;
    const same = cast(one, typeOf(other), node.left);
    return isFailure(same) ? same : equal(same, other, budget) === wanted;
  };
}

/** Long texts of one length are compared character by character, and that is paid for. */
function equal(left: Value, right: Value, budget: Budget): boolean {
  if (typeof left === 'string' && left.length > 1000) budget.spend(left.length / 1000);
  return left === right;
}

const ORDERINGS: Readonly<Record<Ordering, (left: number, right: number) => boolean>> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

function compileOrdering(node: NodeOf<'ordering'>, budget: Budget): Evaluate {
  const holds = ORDERINGS[node.operator];
  return withIntegers(node, budget, holds);
}

function withIntegers(
  node: NodeOf<'ordering'> | NodeOf<'arithmetic'>,
  budget: Budget,
  compute: (left: number, right: number) => Outcome,
): Evaluate {
  const left = compileAs(node.left, 'Integer', budget) as Evaluate<number>;
  const right = compileAs(node.right, 'Integer', budget) as Evaluate<number>;
  return (attributes) => {
    const one = left(attributes);
    if (isFailure(one)) return one;
    const other = right(attributes);
    return isFailure(other) ? other : compute(one, other);
  };
}

const OPERATIONS: Readonly<Record<Arithmetic, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => Math.trunc(left / right),
  '%': (left, right) => left % right,
};

function compileArithmetic(node: NodeOf<'arithmetic'>, budget: Budget): Evaluate {
  const operation = OPERATIONS[node.operator];
  const divides = node.operator === '/' || node.operator === '%';
  const byZero = new Failure('math', 'division by zero', node);
  return withIntegers(node, budget, (left, right) =>
    divides && right === 0 ? byZero : inRange(operation(left, right), node),
  );
}

/** An Integer has 32 bits (section 3.1); past them there is no right result, and a wrong one is worse than none. */
function inRange(number: number, node: Node): Outcome {
  if (number >= MIN_INTEGER && number <= MAX_INTEGER) return number | 0;
  return new Failure('math', `${number} does not fit into 32 bits`, node);
}

/** Section 3.6: the right operand of AND and OR is evaluated only where it decides. */
function compileLogic({ operator, left, right }: NodeOf<'logic'>, budget: Budget): Evaluate {
  const one = compileAs(left, 'Boolean', budget);
  const other = compileAs(right, 'Boolean', budget);
  if (operator === 'XOR') {
    return (attributes) => {
      const value = one(attributes);
      if (isFailure(value)) return value;
      const second = other(attributes);
      return isFailure(second) ? second : value !== second;
    };
  }
  const goesOn = operator === 'AND';
  return (attributes) => {
    const value = one(attributes);
    return value === goesOn ? other(attributes) : value;
  };
}

function compileCall(node: NodeOf<'call'>, budget: Budget): Evaluate {
  const { name, args } = node;
  const builtIn = functionFor(name, args.length);
  if (builtIn === undefined) {
    const missing = new Failure('missingFunction', missingFunction(name, args.length), node);
    return () => missing;
  }
  const { takes, rest, run } = builtIn;
  const evaluates = args.map((argument, i) => compileAs(argument, takes[i] ?? rest ?? 'String', budget));
  return (attributes) => {
    const values: Value[] = [];
    for (const evaluate of evaluates) {
      const value = evaluate(attributes);
      if (isFailure(value)) return value;
      values.push(value);
    }
    const result = run(values, budget);
    if (!(result instanceof Complaint)) return result;
    return new Failure(result.kind, `${name}: ${result.message}`, node, result.value);
  };
}

/** The value that stands beside an error (sections 3.2 and 3.3). */
export function valueBeside(failure: Failure, root: Node): Value {
  const own = failure.node === root ? failure.value : undefined;
  return own ?? zeroOf(staticType(root) ?? 'Boolean');
}
