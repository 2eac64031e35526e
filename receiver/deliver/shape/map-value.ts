import { type Compiled, compiled, type Finding, refused } from '../../errors.ts';
import { isUriReference } from '../../event/uri.ts';
import { isAllowedText } from '../../event/validate.ts';
import type { Budget } from '../../expression/budget.ts';
import { compileJsonPath } from '../../expression/json-path.ts';
import { oneValue } from '../../expression/template.ts';
import type { MapValue } from '../../routing/table.ts';

/** Yields an attribute's new text; undefined where the path yields nothing. Throws an Error that says what is wrong. */
export type MappedText = (root: unknown) => string | undefined;

/** What is wrong with a text that an attribute shall have; undefined: nothing. */
export type TextRule = (text: string) => string | undefined;

/** CloudEvents 1.0.2, String. */
export const isString: TextRule = (text) =>
  isAllowedText(text) ? undefined : 'holds a character that CloudEvents does not allow; choose another text';

/** CloudEvents 1.0.2, `source`. */
export const isSource: TextRule = (text) =>
  isUriReference(text) ? isString(text) : 'is no URI-reference, which a source must be';

/** Compiles one mapped attribute: exactly one of `value` and `jsonPath`. */
export function compileMapValue(
  mapped: MapValue,
  path: string,
  rule: TextRule = isString,
  shared?: Budget,
): Compiled<MappedText> {
  const { value, jsonPath } = mapped;
  if ((value === undefined) === (jsonPath === undefined))
    return refused(path, 'needs exactly one of value and jsonPath');
  if (jsonPath === undefined) return compileConstant(value ?? '', path, rule);
  const query = compileJsonPath(jsonPath, `${path}.jsonPath`, shared);
  if (!query.ok) return query;
  const select = query.value;
  return compiled((root) => {
    const text = textOf(oneValue(select(root)));
    const fault = text === undefined ? undefined : rule(text);
    if (fault !== undefined) throw new Error(`what the path yields ${fault}`);
    return text;
  });
}

function compileConstant(value: string, path: string, rule: TextRule): Compiled<MappedText> {
  if (value === '') return refused(`${path}.value`, 'is empty; give the text that the attribute shall have');
  const fault = rule(value);
  if (fault !== undefined) return refused(`${path}.value`, fault);
  return compiled(() => value);
}

function textOf(value: unknown): string | undefined {
  if (value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error('the path yields no single text, number or boolean; choose one that does');
}

/** The findings of those results that failed. */
export function findingsOf(results: readonly Compiled<unknown>[]): readonly Finding[] {
  return results.flatMap((result) => (result.ok ? [] : result.findings));
}
