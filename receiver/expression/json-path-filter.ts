import { jsonpath } from 'json-p3';
import type { Run, Test } from './json-path-select.ts';
import { jsonEqual, spendOnComparing, spendOnMembers } from './json-value.ts';
import { compileRegex } from './regex.ts';

const { expressions } = jsonpath;

/** The absent value of section 2.4.1: what a comparison sees of a query that selects nothing. */
const NOTHING: unique symbol = Symbol('Nothing');

type Value = (current: unknown, run: Run) => unknown;
type Nodes = (current: unknown, run: Run) => readonly unknown[];
type Parsed = jsonpath.expressions.FilterExpression;

/** Compiles the query inside a filter expression. */
export type QueryCompiler = (
  query: jsonpath.JSONPathQuery,
) => (start: unknown, run: Run) => readonly unknown[];

/** Compiles the logical expression of a filter selector (RFC 9535 section 2.3.5); throws an Error where it cannot. */
export function compileTest(parsed: Parsed, query: QueryCompiler): Test {
  if (parsed instanceof expressions.LogicalExpression) return compileTest(parsed.expression, query);
  if (parsed instanceof expressions.PrefixExpression) {
    const inner = compileTest(parsed.right, query);
    return (current, run) => !inner(current, run);
  }
  if (parsed instanceof expressions.InfixExpression) return compileInfix(parsed, query);
  if (parsed instanceof expressions.FunctionExtension) return compilePatternTest(parsed, query);
  const nodes = compileNodes(parsed, query);
  return (current, run) => nodes(current, run).length > 0;
}

function compileInfix(parsed: jsonpath.expressions.InfixExpression, query: QueryCompiler): Test {
  const { operator } = parsed;
  if (operator === '&&' || operator === '||') {
    const left = compileTest(parsed.left, query);
    const right = compileTest(parsed.right, query);
    if (operator === '&&') return (current, run) => left(current, run) && right(current, run);
    return (current, run) => left(current, run) || right(current, run);
  }
  const compare = COMPARISONS.get(operator);
  if (compare === undefined) throw new Error(`unknown operator ${operator}`);
  const left = compileValue(parsed.left, query);
  const right = compileValue(parsed.right, query);
  return (current, run) => {
    run.budget.spend(1);
    return compare(left(current, run), right(current, run), run);
  };
}

type Comparison = (left: unknown, right: unknown, run: Run) => boolean;

const equal: Comparison = (left, right, run) => jsonEqual(left, right, run.budget);

/** Section 2.3.5.2.2: only two numbers or two texts have an order. */
const less: Comparison = (left, right, run) => {
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  if (typeof left !== 'string' || typeof right !== 'string') return false;
  spendOnComparing(left, right, run.budget);
  return left < right;
};

const COMPARISONS: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['==', equal],
  ['!=', (left, right, run) => !equal(left, right, run)],
  ['<', less],
  ['>', (left, right, run) => less(right, left, run)],
  ['<=', (left, right, run) => less(left, right, run) || equal(left, right, run)],
  ['>=', (left, right, run) => less(right, left, run) || equal(left, right, run)],
]);

function compileValue(parsed: Parsed, query: QueryCompiler): Value {
  if (parsed instanceof expressions.FunctionExtension) return compileFunction(parsed, query);
  if (parsed instanceof expressions.FilterQuery) {
    const nodes = compileNodes(parsed, query);
    return (current, run) => {
      const found = nodes(current, run);
      return found.length === 1 ? found[0] : NOTHING;
    };
  }
  if (parsed instanceof expressions.NullLiteral) return () => null;
  const literal = (parsed as jsonpath.expressions.StringLiteral).value;
  return () => literal;
}

function compileNodes(parsed: Parsed, query: QueryCompiler): Nodes {
  if (parsed instanceof expressions.RootQuery) {
    const select = query(parsed.path);
    return (_current, run) => select(run.root, run);
  }
  if (parsed instanceof expressions.RelativeQuery) {
    const select = query(parsed.path);
    return (current, run) => select(current, run);
  }
  throw new Error('only a query can stand here');
}

/** Section 2.4: the functions that yield a value. */
function compileFunction(parsed: jsonpath.expressions.FunctionExtension, query: QueryCompiler): Value {
  const [argument] = parsed.args;
  const make = argument === undefined ? undefined : FUNCTIONS.get(parsed.name);
  if (argument === undefined || make === undefined) throw new Error(`there is no function ${parsed.name}`);
  return make(argument, query);
}

const FUNCTIONS: ReadonlyMap<string, (argument: Parsed, query: QueryCompiler) => Value> = new Map([
  ['length', compileLength],
  ['count', compileCount],
  ['value', compileValue],
]);

function compileLength(argument: Parsed, query: QueryCompiler): Value {
  const value = compileValue(argument, query);
  return (current, run) => lengthOf(value(current, run), run);
}

function lengthOf(value: unknown, run: Run): unknown {
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return NOTHING;
  if (typeof value === 'object') {
    const { length } = Object.keys(value);
    spendOnMembers(length, run.budget);
    return length;
  }
  run.budget.spend(value.length / 16);
  // In characters, that is Unicode scalar values, as section 2.4.4 counts.
  let count = 0;
  for (const _ of value) count++;
  return count;
}

function compileCount(argument: Parsed, query: QueryCompiler): Value {
  const nodes = compileNodes(argument, query);
  return (current, run) => nodes(current, run).length;
}

/** `match` and `search` (sections 2.4.6 and 2.4.7) on a linear-time engine, the pattern compiled once. */
function compilePatternTest(parsed: jsonpath.expressions.FunctionExtension, query: QueryCompiler): Test {
  const [subject, pattern] = parsed.args;
  const how = parsed.name;
  if (subject === undefined || (how !== 'match' && how !== 'search'))
    throw new Error(`there is no function ${how}`);
  if (!(pattern instanceof expressions.StringLiteral)) {
    throw new Error(`${how}() takes its pattern as a text written in the path, so that its cost has a bound`);
  }
  const value = compileValue(subject, query);
  const regex = compileRegex(dotWithoutLineEnds(pattern.value));
  return (current, run) => {
    const text = value(current, run);
    return typeof text === 'string' && regex[how](text, run.budget);
  };
}

/** An I-Regexp dot (RFC 9485 section 5.3) takes neither line feed nor carriage return. */
function dotWithoutLineEnds(pattern: string): string {
  let out = '';
  let inClass = false;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i);
    if (character === '\\') {
      out += character + pattern.charAt(++i);
      continue;
    }
    if (character === '[') inClass = true;
    else if (character === ']') inClass = false;
    out += character === '.' && !inClass ? '[^\\n\\r]' : character;
  }
  return out;
}
