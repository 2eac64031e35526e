import { compileLike } from '../expression/cesql/like.ts';
import type { Node, NodeOf } from '../expression/cesql/syntax.ts';
import { commonAnchors } from './anchors.ts';
import type { Anchor } from './matcher.ts';

/** What every event that an expression is true for must have, so that `type = 'a'` is filed as `exact` is. */
export function anchorsOf(node: Node): readonly Anchor[] {
  switch (node.kind) {
    case 'equality':
      return node.equal ? ofEquality(node) : [];
    case 'like':
      return ofLike(node);
    case 'in':
      return ofIn(node);
    case 'logic':
      return ofLogic(node);
    default:
      return [];
  }
}

function ofEquality({ left, right }: NodeOf<'equality'>): readonly Anchor[] {
  const [attribute, value] = left.kind === 'attribute' ? [left, right] : [right, left];
  if (attribute.kind !== 'attribute' || !isText(value)) return [];
  return [{ attribute: attribute.name, dialect: 'exact', values: [value.value] }];
}

function ofLike({ operand, pattern }: NodeOf<'like'>): readonly Anchor[] {
  if (operand.kind !== 'attribute') return [];
  const { exact, prefix } = compileLike(pattern);
  if (exact !== undefined) return [{ attribute: operand.name, dialect: 'exact', values: [exact] }];
  return prefix === '' ? [] : [{ attribute: operand.name, dialect: 'prefix', values: [prefix] }];
}

function ofIn({ operand, set }: NodeOf<'in'>): readonly Anchor[] {
  if (operand.kind !== 'attribute') return [];
  const texts = set.filter(isText);
  if (texts.length < set.length) return [];
  return [
    { attribute: operand.name, dialect: 'exact', values: [...new Set(texts.map(({ value }) => value))] },
  ];
}

function ofLogic({ operator, left, right }: NodeOf<'logic'>): readonly Anchor[] {
  if (operator === 'AND') return [...anchorsOf(left), ...anchorsOf(right)];
  return operator === 'OR' ? commonAnchors([anchorsOf(left), anchorsOf(right)]) : [];
}

function isText(node: Node): node is NodeOf<'literal'> & { readonly value: string } {
  return node.kind === 'literal' && typeof node.value === 'string';
}
