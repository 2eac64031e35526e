import type { Schema } from '../definition.ts';
import { isRecord } from './record.ts';

/**
 * Sets the defaults of a schema within a value, in place, as the API server does: a field that is null and may not be
 * counts as left out.
 */
export function applyDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) applyDefaults(item, schema.items);
    return;
  }
  if (!isRecord(value)) return;
  dropNulls(value, schema);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (value[name] === undefined && property.default !== undefined)
      value[name] = structuredClone(property.default);
  }
  for (const [name, member] of Object.entries(value)) {
    const property = memberSchema(schema, name);
    if (property !== undefined) applyDefaults(member, property);
  }
}

/** The schema that a member of an object has to meet; undefined where the schema does not know it. */
export function memberSchema(schema: Schema, name: string): Schema | undefined {
  const { properties } = schema;
  return properties !== undefined && Object.hasOwn(properties, name)
    ? properties[name]
    : schema.additionalProperties;
}

function dropNulls(value: Record<string, unknown>, schema: Schema): void {
  for (const [name, member] of Object.entries(value)) {
    const property = memberSchema(schema, name);
    if (member === null && property !== undefined && property.nullable !== true) delete value[name];
  }
}
