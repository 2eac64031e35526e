import type { Arithmetic, Logic, Node, Ordering } from './syntax.ts';
import { SyntaxFault, type Token, tokenize } from './tokens.ts';
import { MAX_INTEGER, MIN_INTEGER } from './value.ts';

const MAX_DEPTH = 64;

/** How tightly an operator holds its operands (CESQL 1.0.0 section 3.6); of equals, the left one first. */
const TIGHTNESS: ReadonlyMap<string, number> = new Map([
  ...['AND', 'OR', 'XOR'].map((operator) => [operator, 1] as const),
  ...['=', '!=', '<>', '<', '<=', '>', '>='].map((operator) => [operator, 2] as const),
  ...['+', '-'].map((operator) => [operator, 3] as const),
  ...['*', '/', '%'].map((operator) => [operator, 4] as const),
  ['IN', 5],
  ['LIKE', 6],
]);
const UNARY = 7;

const KEYWORDS = new Set(['AND', 'OR', 'XOR', 'NOT', 'LIKE', 'IN', 'EXISTS', 'TRUE', 'FALSE']);

/** Parses an expression (section 2). Throws SyntaxFault. */
export function parse(source: string): Node {
  const tokens = tokenize(source);
  let index = 0;
  let depth = 0;

  function peek(ahead: number = 0): Token {
    return tokens[Math.min(index + ahead, tokens.length - 1)] as Token;
  }

  function take(): Token {
    const token = peek();
    index++;
    return token;
  }

  function expect(symbol: string): Token {
    const token = take();
    if (token.text !== symbol || token.kind !== 'symbol') throw unexpected(token, symbol);
    return token;
  }

  /** An operand with every operator that holds at least so tightly. */
  function expression(tightness: number): Node {
    if (++depth > MAX_DEPTH) throw new SyntaxFault(`is nested more than ${MAX_DEPTH} deep`, peek().start);
    let left = operand();
    for (;;) {
      const negated = wordOf(peek()) === 'NOT';
      const operator = operatorOf(peek(negated ? 1 : 0));
      const holds = TIGHTNESS.get(operator) ?? 0;
      if (holds === 0 || holds < tightness) break;
      if (negated && operator !== 'LIKE' && operator !== 'IN') break;
      index += negated ? 2 : 1;
      left = operation(left, operator, holds);
      if (negated) left = { kind: 'not', operand: left, start: left.start, end: left.end };
    }
    depth--;
    return left;
  }

  function operation(left: Node, operator: string, tightness: number): Node {
    const { start } = left;
    if (operator === 'LIKE') {
      const pattern = take();
      if (pattern.content === undefined) throw unexpected(pattern, 'a text as the pattern of LIKE');
      return { kind: 'like', operand: left, pattern: pattern.content, start, end: pattern.end };
    }
    if (operator === 'IN') {
      const open = expect('(');
      const set = list(open);
      if (set.length === 0) throw new SyntaxFault('IN needs at least one value', open.start);
      return { kind: 'in', operand: left, set, start, end: lastEnd() };
    }
    const right = expression(tightness + 1);
    return binary(operator, left, right);
  }

  /** What stands between parentheses, the opening one taken already. */
  function list(open: Token): readonly Node[] {
    const nodes: Node[] = [];
    if (peek().text === ')' && peek().kind === 'symbol') {
      take();
      return nodes;
    }
    for (;;) {
      nodes.push(expression(1));
      const token = take();
      if (token.kind === 'symbol' && token.text === ')') return nodes;
      if (token.kind === 'end')
        throw new SyntaxFault('the parenthesis that opens here is not closed', open.start);
      if (token.kind !== 'symbol' || token.text !== ',') throw unexpected(token, ', or )');
    }
  }

  function lastEnd(): number {
    return tokens[index - 1]?.end ?? 0;
  }

  function operand(): Node {
    const token = take();
    const { start, end } = token;
    if (token.content !== undefined) return { kind: 'literal', value: token.content, start, end };
    if (token.kind === 'integer') return integer(token.text, start, end);
    if (token.kind === 'symbol') return afterSymbol(token);
    if (token.kind === 'word') return afterWord(token);
    throw unexpected(token, 'a value');
  }

  function afterSymbol(token: Token): Node {
    const { start } = token;
    const following = peek();
    if (token.text === '(') {
      const [inner, second] = list(token);
      if (inner === undefined || second !== undefined)
        throw new SyntaxFault('parentheses hold one expression here', start);
      return { ...inner, start, end: lastEnd() };
    }
    const sign = token.text === '-' || token.text === '+';
    if (sign && following.kind === 'integer' && following.start === token.end) {
      take();
      return integer(token.text + following.text, start, following.end);
    }
    if (token.text !== '-') throw unexpected(token, 'a value');
    const inner = expression(UNARY);
    return { kind: 'negate', operand: inner, start, end: inner.end };
  }

  function afterWord(token: Token): Node {
    const { start, end } = token;
    const word = wordOf(token);
    if (word === 'TRUE' || word === 'FALSE') return { kind: 'literal', value: word === 'TRUE', start, end };
    if (word === 'NOT') {
      const inner = expression(UNARY);
      return { kind: 'not', operand: inner, start, end: inner.end };
    }
    if (word === 'EXISTS') {
      const attribute = take();
      return { kind: 'exists', name: attributeName(attribute), start, end: attribute.end };
    }
    if (peek().text === '(' && peek().kind === 'symbol' && !KEYWORDS.has(word)) {
      if (!/^[A-Z][A-Z_]*$/.test(word)) throw unexpected(token, 'the name of a function');
      const args = list(take());
      return { kind: 'call', name: word, args, start, end: lastEnd() };
    }
    return { kind: 'attribute', name: attributeName(token), start, end };
  }

  const root = expression(1);
  const rest = peek();
  if (rest.kind !== 'end') throw unexpected(rest, 'an operator');
  return root;
}

/** Keywords and functions are written in any case. */
function wordOf(token: Token): string {
  return token.kind === 'word' ? token.text.toUpperCase() : '';
}

function operatorOf(token: Token): string {
  return token.kind === 'symbol' ? token.text : wordOf(token);
}

function attributeName(token: Token): string {
  if (token.kind !== 'word' || token.text.includes('_') || KEYWORDS.has(wordOf(token)))
    throw unexpected(token, 'the name of an attribute');
  return token.text.toLowerCase();
}

function integer(text: string, start: number, end: number): Node {
  const value = Number(text);
  if (value < MIN_INTEGER || value > MAX_INTEGER)
    throw new SyntaxFault(`${text} does not fit into 32 bits; write it as a text`, start);
  return { kind: 'literal', value: value | 0, start, end };
}

function binary(operator: string, left: Node, right: Node): Node {
  const { start } = left;
  const { end } = right;
  if (operator === '=') return { kind: 'equality', equal: true, left, right, start, end };
  if (operator === '!=' || operator === '<>')
    return { kind: 'equality', equal: false, left, right, start, end };
  switch (TIGHTNESS.get(operator)) {
    case 1:
      return { kind: 'logic', operator: operator as Logic, left, right, start, end };
    case 2:
      return { kind: 'ordering', operator: operator as Ordering, left, right, start, end };
    default:
      return { kind: 'arithmetic', operator: operator as Arithmetic, left, right, start, end };
  }
}

function unexpected(token: Token, wanted: string): SyntaxFault {
  const found = token.kind === 'end' ? token.text : JSON.stringify(token.text);
  return new SyntaxFault(`expected ${wanted}, not ${found}`, token.start);
}
