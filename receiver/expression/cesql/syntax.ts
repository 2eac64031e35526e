import type { Value } from './value.ts';

/** Where in the source a node stands: from `start` up to, not including, `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A parsed expression (CESQL 1.0.0 section 2). `NOT LIKE` and `NOT IN` are a `not` around the operation. */
export type Node = Span &
  (
    | { readonly kind: 'literal'; readonly value: Value }
    | { readonly kind: 'attribute'; readonly name: string }
    | { readonly kind: 'exists'; readonly name: string }
    | { readonly kind: 'not'; readonly operand: Node }
    | { readonly kind: 'negate'; readonly operand: Node }
    | { readonly kind: 'like'; readonly operand: Node; readonly pattern: string }
    | { readonly kind: 'in'; readonly operand: Node; readonly set: readonly Node[] }
    | {
        readonly kind: 'arithmetic';
        readonly operator: Arithmetic;
        readonly left: Node;
        readonly right: Node;
      }
    | { readonly kind: 'equality'; readonly equal: boolean; readonly left: Node; readonly right: Node }
    | { readonly kind: 'ordering'; readonly operator: Ordering; readonly left: Node; readonly right: Node }
    | { readonly kind: 'logic'; readonly operator: Logic; readonly left: Node; readonly right: Node }
    | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[] }
  );

export type Arithmetic = '+' | '-' | '*' | '/' | '%';
export type Ordering = '<' | '<=' | '>' | '>=';
export type Logic = 'AND' | 'OR' | 'XOR';

/** A node of one kind. */
export type NodeOf<Kind extends Node['kind']> = Extract<Node, { kind: Kind }>;

/** The nodes directly below one. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'literal':
    case 'attribute':
    case 'exists':
      return [];
    case 'not':
    case 'negate':
    case 'like':
      return [node.operand];
    case 'in':
      return [node.operand, ...node.set];
    case 'call':
      return node.args;
    default:
      return [node.left, node.right];
  }
}

/** A node and all below it, in the order of the source. */
export function* nodesOf(root: Node): Generator<Node> {
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node;
    waiting.push(...childrenOf(node).toReversed());
  }
}
