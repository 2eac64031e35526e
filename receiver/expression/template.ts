import { type Compiled, compiled, type Finding } from '../errors.ts';
import { type Budget, createBudget } from './budget.ts';
import { compileJsonPath } from './json-path.ts';

/** A compiled template: the JSON value it makes of a root. Throws CostExceeded as JSONPath does. */
export type Template = (root: unknown) => unknown;

/**
 * Compiles a template: any JSON, in which a text that begins with `$.` or `$[` is a JSONPath that yields its one value
 * (several: an array; none: null), and a leading `$$` stands for one `$`. Parts without a path are made once. All paths
 * spend from one budget; where it is `shared`, whoever runs the template resets it.
 */
export function compileTemplate(template: unknown, path: string, shared?: Budget): Compiled<Template> {
  const budget = shared ?? createBudget();
  const findings: Finding[] = [];
  const part = compilePart(template, path, { findings, budget });
  if (findings.length > 0) return { ok: false, findings };
  if (part.kind === 'constant') return compiled(() => part.value);
  const { make } = part;
  if (shared !== undefined) return compiled(make);
  return compiled((root) => {
    budget.reset();
    return make(root);
  });
}

interface Compilation {
  readonly findings: Finding[];
  /** One for all paths: a template of a thousand costs no more than a template of one. */
  readonly budget: Budget;
}

/** What a query's values stand for where one value is wanted. */
export function oneValue(values: readonly unknown[]): unknown {
  if (values.length === 0) return null;
  return values.length === 1 ? values[0] : values;
}

type Part =
  | { readonly kind: 'constant'; readonly value: unknown }
  | { readonly kind: 'made'; readonly make: Template };

function compilePart(template: unknown, path: string, on: Compilation): Part {
  if (typeof template === 'string') return compileText(template, path, on);
  if (Array.isArray(template)) {
    return compileArray(template.map((item, i) => compilePart(item, `${path}[${i}]`, on)));
  }
  if (typeof template === 'object' && template !== null) {
    const members = Object.entries(template).map(
      ([name, value]) => [name, compilePart(value, `${path}.${name}`, on)] as const,
    );
    return compileObject(members);
  }
  return { kind: 'constant', value: template };
}

function compileText(text: string, path: string, { findings, budget }: Compilation): Part {
  if (text.startsWith('$$')) return { kind: 'constant', value: text.slice(1) };
  if (!text.startsWith('$.') && !text.startsWith('$[')) return { kind: 'constant', value: text };
  const query = compileJsonPath(text, path, budget);
  if (!query.ok) {
    findings.push(...query.findings);
    return { kind: 'constant', value: null };
  }
  const select = query.value;
  return { kind: 'made', make: (root) => oneValue(select(root)) };
}

function valueIn(part: Part, root: unknown): unknown {
  return part.kind === 'constant' ? part.value : part.make(root);
}

function compileArray(parts: readonly Part[]): Part {
  if (parts.every((part) => part.kind === 'constant')) {
    return { kind: 'constant', value: parts.map((part) => part.value) };
  }
  return { kind: 'made', make: (root) => parts.map((part) => valueIn(part, root)) };
}

function compileObject(members: readonly (readonly [string, Part])[]): Part {
  const make: Template = (root) => {
    // No prototype: `__proto__` is a member like any other.
    const made: Record<string, unknown> = Object.create(null);
    for (const [name, part] of members) made[name] = valueIn(part, root);
    return made;
  };
  if (members.some(([, part]) => part.kind === 'made')) return { kind: 'made', make };
  return { kind: 'constant', value: make(null) };
}
