import { Environment } from '@marcbachmann/cel-js';
import type { Schema } from '../definition.ts';
import type { Report } from './check.ts';

/** The CEL rules of a schema, compiled. */
export interface Rules {
  /**
   * Reports each rule at this schema that the value breaks. A rule may lean on what the rest of the schema promises (a
   * type, a required field): one that cannot be evaluated is passed over, as what keeps it from that is told already.
   */
  check(value: unknown, schema: Schema, field: string, report: Report): void;
}

interface CompiledRule {
  readonly field: string;
  readonly message: string;
  readonly broken: (self: unknown) => boolean;
}

function isFalse(run: (context: { self: unknown }) => unknown, self: unknown): boolean {
  try {
    return run({ self }) === false;
  } catch {
    return false;
  }
}

/** Compiles every rule within `roots` once; throws on one that is no CEL, which is a mistake in the CRD. */
export function compileRules(roots: Iterable<Schema>): Rules {
  const compiled = new Map<Schema, readonly CompiledRule[]>();
  const environment = new Environment().registerVariable('self', 'dyn');
  const visit = (schema: Schema): void => {
    const rules = schema['x-kubernetes-validations'] ?? [];
    if (rules.length > 0) {
      const own = rules.map(({ rule, message, fieldPath = '' }) => {
        const run = environment.parse(rule);
        return { field: fieldPath, message, broken: (self: unknown) => isFalse(run, self) };
      });
      compiled.set(schema, own);
    }
    Object.values(schema.properties ?? {}).forEach(visit);
    if (schema.items !== undefined) visit(schema.items);
    if (schema.additionalProperties !== undefined) visit(schema.additionalProperties);
  };
  for (const root of roots) visit(root);
  return {
    check(value, schema, at, report) {
      for (const { field, message, broken } of compiled.get(schema) ?? []) {
        if (broken(value)) report(`${at}${field}`, message);
      }
    },
  };
}
