import { type Compiled, compiled, type Finding, refused } from '../../errors.ts';
import { compileJsonPath } from '../../expression/json-path.ts';
import { oneValue } from '../../expression/template.ts';
import type { MapValue } from '../../routing/table.ts';

/** Yields an attribute's new text; undefined where the path yields nothing. Throws an Error that says what is wrong. */
export type MappedText = (root: unknown) => string | undefined;

/** Compiles one mapped attribute: exactly one of `value` and `jsonPath`. */
export function compileMapValue(mapped: MapValue, path: string): Compiled<MappedText> {
  const { value, jsonPath } = mapped;
  if ((value === undefined) === (jsonPath === undefined))
    return refused(path, 'needs exactly one of value and jsonPath');
  if (jsonPath === undefined) return compileConstant(value ?? '', path);
  const query = compileJsonPath(jsonPath, `${path}.jsonPath`);
  if (!query.ok) return query;
  const select = query.value;
  return compiled((root) => textOf(oneValue(select(root))));
}

function compileConstant(value: string, path: string): Compiled<MappedText> {
  if (value === '') return refused(`${path}.value`, 'is empty; give the text that the attribute shall have');
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
