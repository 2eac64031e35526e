import { type Compiled, compiled, type Finding, refused } from '../errors.ts';
import type { ValueSource } from '../routing/table.ts';
import { constant, header, type PayloadRule, prefixed } from '../verify/payload-rules.ts';
import { compileScalarPath } from './json-path.ts';
import { isAllowedText } from './validate.ts';

type SourceCompiler = (text: string, field: string) => Compiled<PayloadRule>;

const KINDS: Readonly<Record<'header' | 'jsonPath' | 'value', SourceCompiler>> = {
  header: (name, field) =>
    name === '' ? refused(field, 'is empty; name the request header') : compiled(header(name)),
  jsonPath: (path, field) => {
    const scalar = compileScalarPath(path, field);
    if (!scalar.ok) return scalar;
    const read = scalar.value;
    return compiled(({ data }) => read(data));
  },
  value: (value, field) =>
    value !== '' && isAllowedText(value)
      ? compiled(constant(value))
      : refused(field, 'is empty or holds a control character; give the text that the attribute shall have'),
};

/** Compiles one mapped attribute: exactly one of `header`, `jsonPath` and `value`, with an optional `prefix`. */
export function compileValueSource(source: ValueSource, field: string): Compiled<PayloadRule> {
  const findings: Finding[] = [];
  const rules: PayloadRule[] = [];
  for (const kind of ['header', 'jsonPath', 'value'] as const) {
    const text = source[kind];
    if (text === undefined) continue;
    const rule = KINDS[kind](text, `${field}.${kind}`);
    if (rule.ok) rules.push(rule.value);
    else findings.push(...rule.findings);
  }
  const [rule] = rules;
  if (findings.length > 0) return { ok: false, findings };
  if (rule === undefined || rules.length > 1)
    return refused(field, 'needs exactly one of header, jsonPath and value');
  return compiled(source.prefix ? prefixed(source.prefix, rule) : rule);
}
