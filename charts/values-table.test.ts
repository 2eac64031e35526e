import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { readValues, valuesTable } from './values-table.ts';

const CHART = new URL('./signalbox/', import.meta.url);

test('a described key is a row, with its default', () => {
  const values = readValues('a:\n  # -- How many.\n  b: 1\n# -- All of it.\nc:\n  requests: { cpu: 1 }\n');
  expect(values).toEqual([
    { path: 'a.b', value: '1', description: 'How many.' },
    { path: 'c', value: '{"requests":{"cpu":1}}', description: 'All of it.' },
  ]);
  expect(valuesTable(values)).toContain('| `a.b` | `1` | How many. |');
});

test('a key without a description is a mistake', () => {
  expect(() => readValues('a:\n  b: 1\n')).toThrow(/a\.b has no comment/);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

describe('values.schema.json', () => {
  const schema = JSON.parse(readFileSync(new URL('values.schema.json', CHART), 'utf8')) as Schema;
  const text = readFileSync(new URL('values.yaml', CHART), 'utf8');

  test('knows each value, and nothing else', () => {
    for (const { path } of readValues(text)) {
      const found = path.split('.').reduce<Schema | undefined>((at, key) => at?.properties?.[key], schema);
      expect(found, path).toBeDefined();
    }
    const walk = (part: Schema, values: unknown, path: string): void => {
      if (part.properties === undefined) return;
      expect(part.additionalProperties, path).toBe(false);
      for (const [key, below] of Object.entries(part.properties)) {
        expect(values, `${path}.${key} is in the schema alone`).toHaveProperty([key]);
        walk(below, (values as Record<string, unknown>)[key], `${path}.${key}`);
      }
    };
    walk(schema, load(text), 'values');
  });
});
