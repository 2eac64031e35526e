import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { definitionFile, readSchema, type Schema } from './definition.ts';
import { GROUP, KINDS, type Kind } from './group.ts';

const EACH_KIND = Object.keys(KINDS) as Kind[];

/** Every field below a schema, by its path. */
function* fields(schema: Schema, path = ''): Generator<readonly [path: string, schema: Schema]> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield [`${path}.${name}`, property];
    yield* fields(property, `${path}.${name}`);
  }
  for (const [suffix, inner] of [
    ['[]', schema.items],
    ['{}', schema.additionalProperties],
  ] as const) {
    if (inner === undefined) continue;
    yield [`${path}${suffix}`, inner];
    yield* fields(inner, `${path}${suffix}`);
  }
}

const OWN = /^\.(spec|status)/;
const BOUNDED: Readonly<Record<string, (schema: Schema) => boolean>> = {
  string: ({ maxLength, enum: values }) => maxLength !== undefined || values !== undefined,
  array: ({ maxItems }) => maxItems !== undefined,
  object: ({ properties, maxProperties }) => properties !== undefined || maxProperties !== undefined,
};

describe.each(EACH_KIND)('the definition of %s', (kind) => {
  const schema = readSchema(kind);
  const own = [...fields(schema)].filter(([path]) => OWN.test(path));

  test('has the names that group.ts says', () => {
    const { metadata, spec } = load(readFileSync(definitionFile(kind), 'utf8')) as {
      metadata: { name: string };
      spec: { group: string; names: object };
    };
    const { plural, singular, shortName } = KINDS[kind];
    expect(metadata.name).toBe(`${plural}.${GROUP}`);
    expect(spec.group).toBe(GROUP);
    expect(spec.names).toEqual({
      kind,
      listKind: `${kind}List`,
      plural,
      singular,
      shortNames: [shortName],
      categories: ['signalbox'],
    });
  });

  test('stays below 200 kB, so that client-side apply can keep its annotation', () => {
    const text = JSON.stringify(load(readFileSync(definitionFile(kind), 'utf8')));
    expect(Buffer.byteLength(text)).toBeLessThan(200_000);
  });

  test('bounds every list, map and string', () => {
    const unbounded = own.filter(([, field]) => !(BOUNDED[field.type ?? '']?.(field) ?? true));
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('describes every field for kubectl explain', () => {
    const silent = own.filter(([path, { description }]) => !/[\]}]$/.test(path) && description === undefined);
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test('has a message and a fitting field for every rule', () => {
    for (const [path, field] of [['', schema] as const, ...own]) {
      for (const { message, fieldPath } of field['x-kubernetes-validations'] ?? []) {
        expect(message, path).toMatch(/\w/);
        if (fieldPath !== undefined) expect(field.properties, path).toHaveProperty(fieldPath.slice(1));
      }
    }
  });
});
