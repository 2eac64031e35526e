/**
 * Makes, from the three CustomResourceDefinitions, the TypeScript types of the kinds and `schemas.json`, which offline
 * validation reads (and a bundle holds); and from the condition reasons docs/conditions.md.
 *
 *     node crds/generate.ts            writes crds/generated/* and docs/conditions.md
 *     node crds/generate.ts --check    writes nothing; exits 1 if a file is not current
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { conditionsPage } from './conditions-page.ts';
import { readSchema, type Schema } from './definition.ts';
import { API_VERSION, KINDS, type Kind } from './group.ts';

/** What deserves a name of its own, by its path; an alias of it in the YAML has the same name. */
const NAMES: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  WebhookSecret: {
    spec: 'WebhookSecretSpec',
    'spec.scheme': 'Scheme',
    'spec.hmac': 'HmacRecipe',
    'spec.jwt': 'JwtRecipe',
    'spec.jwt.jwks.secretKeyRef': 'SecretKeyReference',
    'spec.secrets[]': 'VerifyingSecret',
    'spec.event': 'EventMapping',
    'spec.event.type': 'ValueSource',
    'spec.event.id': 'IdSource',
    'spec.dedup': 'Dedup',
    'spec.limits': 'Limits',
    status: 'WebhookSecretStatus',
    'status.conditions[]': 'Condition',
    'status.keys[]': 'KeyStatus',
    'status.traffic': 'Traffic',
  },
  EventTrigger: {
    spec: 'EventTriggerSpec',
    'spec.from[]': 'TriggerSource',
    'spec.from[].cluster': 'ClusterSource',
    'spec.filters[]': 'Filter',
    'spec.filters[].all[]': 'FilterWithin',
    'spec.filters[].all[].all[]': 'FilterInnermost',
    'spec.inbox': 'Inbox',
    'spec.map': 'EventMap',
    'spec.map.type': 'MapValue',
    'spec.target': 'Target',
    'spec.target.job': 'JobTarget',
    'spec.target.job.ref': 'ObjectReference',
    'spec.target.job.auth.secretKeyRef': 'SecretKeyReference',
    'spec.target.job.types[]': 'JobTypeRule',
    'spec.target.job.args': 'JobArgs',
    'spec.target.job.options': 'JobOptions',
    'spec.target.sink': 'SinkTarget',
    'spec.target.sink.sign': 'Signing',
    'spec.target.sink.headers[]': 'SinkHeader',
    'spec.steps[]': 'Step',
    'spec.steps[].waitFor': 'WaitFor',
    'spec.steps[].waitFor.all[]': 'Wait',
    'spec.delivery': 'Delivery',
    'spec.delivery.deadLetterSink': 'DeadLetterSink',
    'spec.delivery.rateLimit': 'RateLimit',
    status: 'EventTriggerStatus',
    'status.conditions[]': 'Condition',
    'status.address': 'Address',
    'status.traffic': 'Traffic',
  },
  EventBridge: {
    spec: 'EventBridgeSpec',
    'spec.source.ojs': 'OjsSource',
    'spec.source.ojs.ref': 'ObjectReference',
    'spec.source.ojs.auth.secretKeyRef': 'SecretKeyReference',
    'spec.sink': 'BridgeSink',
    'spec.sink.sign': 'Signing',
    'spec.sink.headers[]': 'SinkHeader',
    'spec.batch': 'Batch',
    'spec.delivery': 'Delivery',
    'spec.delivery.deadLetterSink': 'DeadLetterSink',
    'spec.delivery.rateLimit': 'RateLimit',
    status: 'EventBridgeStatus',
    'status.conditions[]': 'Condition',
    'status.traffic': 'Traffic',
  },
};

const METADATA: JSONSchema = {
  type: 'object',
  required: ['name'],
  description: 'What Kubernetes keeps about every object, as far as it is used here.',
  properties: {
    name: { type: 'string' },
    namespace: { type: 'string' },
    uid: { type: 'string' },
    resourceVersion: { type: 'string' },
    generation: { type: 'integer' },
    creationTimestamp: { type: 'string' },
    deletionTimestamp: { type: 'string' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
    finalizers: { type: 'array', items: { type: 'string' } },
  },
};

type Walk = (schema: Schema, path: string) => void;

function eachChild(schema: Schema, path: string, walk: Walk): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    walk(property, path === '' ? name : `${path}.${name}`);
  }
  if (schema.items !== undefined) walk(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) walk(schema.additionalProperties, `${path}{}`);
}

/** Finds what `names` lists; a path that leads nowhere is a mistake there. */
function namedSchemas(root: Schema, names: Readonly<Record<string, string>>): Map<Schema, string> {
  const found = new Map<Schema, string>();
  const missing = new Set(Object.keys(names));
  const walk: Walk = (schema, path) => {
    const name = names[path];
    if (name !== undefined && missing.delete(path)) found.set(schema, name);
    eachChild(schema, path, walk);
  };
  walk(root, '');
  if (missing.size > 0) throw new Error(`no such path in the schema: ${[...missing].join(', ')}`);
  return found;
}

function mapValues(schemas: Readonly<Record<string, Schema>>, convert: (schema: Schema) => JSONSchema) {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, convert(schema)]));
}

/** What TypeScript says more exactly than JSON Schema does. */
function exactType(schema: Schema): string | undefined {
  if (schema.type === undefined && schema['x-kubernetes-preserve-unknown-fields'] === true) return 'unknown';
  return schema.maxProperties === 0 ? 'Record<string, never>' : undefined;
}

function jsonType(schema: Schema): JSONSchema['type'] {
  return schema['x-kubernetes-int-or-string'] === true ? ['integer', 'string'] : schema.type;
}

function membersBeyondProperties(
  schema: Schema,
  convert: (schema: Schema) => JSONSchema,
): JSONSchema | true | undefined {
  if (schema.additionalProperties !== undefined) return convert(schema.additionalProperties);
  return schema['x-kubernetes-preserve-unknown-fields'] === true ? true : undefined;
}

/** A structural schema as a JSON Schema: what json-schema-to-typescript makes types of, and no more. */
function jsonSchema(schema: Schema, convert: (schema: Schema) => JSONSchema): JSONSchema {
  const { description, properties, items } = schema;
  const tsType = exactType(schema);
  const own = withoutUndefined({
    description,
    ...(tsType === undefined
      ? {
          type: jsonType(schema),
          enum: schema.enum,
          required: schema.required,
          properties: properties === undefined ? undefined : mapValues(properties, convert),
          items: items === undefined ? undefined : convert(items),
          additionalProperties: membersBeyondProperties(schema, convert),
        }
      : { tsType }),
  });
  return schema.nullable === true && tsType === undefined ? { anyOf: [own, { type: 'null' }] } : own;
}

function withoutUndefined(members: Readonly<Record<string, unknown>>): JSONSchema {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

async function generate(kind: Kind): Promise<string> {
  const root = readSchema(kind);
  const names = namedSchemas(root, NAMES[kind]);
  const definitions: Record<string, JSONSchema> = { ObjectMeta: METADATA };
  const convert = (schema: Schema): JSONSchema => {
    const name = names.get(schema);
    if (name === undefined) return jsonSchema(schema, convert);
    definitions[name] ??= jsonSchema(schema, convert);
    return { $ref: `#/definitions/${name}` };
  };
  const whole = jsonSchema(root, convert);
  const schema: JSONSchema = {
    ...whole,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      ...whole.properties,
      apiVersion: { type: 'string', enum: [API_VERSION] },
      kind: { type: 'string', enum: [kind] },
      metadata: { $ref: '#/definitions/ObjectMeta' },
    },
    definitions,
  };
  return compile(schema, kind, {
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    bannerComment: `/* Made from crds/${KINDS[kind].plural}.yaml by crds/generate.ts: edit that file, then run it again. */`,
    style: { singleQuote: true, printWidth: 110 },
  });
}

/** The specs' schemas without what only people and the API server's storage need. */
function schemasJson(): string {
  const kinds = (Object.keys(KINDS) as Kind[]).map((kind) => [kind, readSchema(kind).properties?.['spec']]);
  const text = JSON.stringify(Object.fromEntries(kinds), (key, value: unknown) =>
    key === 'description' && typeof value === 'string' ? undefined : value,
  );
  return `${text}\n`;
}

function typesFile(kind: Kind): string {
  return `${kind.replaceAll(/(?<=[a-z])[A-Z]/g, '-$&').toLowerCase()}.ts`;
}

function textOf(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

async function main(check: boolean): Promise<void> {
  const folder = new URL('./generated/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const files = new Map([['schemas.json', schemasJson()]]);
  for (const kind of Object.keys(KINDS) as Kind[]) files.set(typesFile(kind), await generate(kind));
  files.set('../../docs/conditions.md', conditionsPage());
  for (const [name, text] of files) {
    const file = new URL(name, folder);
    if (textOf(file) === text) continue;
    if (check) {
      process.stderr.write(`${file.pathname} is not current: run node crds/generate.ts\n`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, text);
    }
  }
}

await main(process.argv.includes('--check'));
