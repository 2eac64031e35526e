import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { KINDS, type Kind, VERSION } from './group.ts';

/** A rule in CEL over the value it stands at (`x-kubernetes-validations`). */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** Which field below the value it is about: `.hmac`. */
  readonly fieldPath?: string;
}

/** What our CRDs use of the API server's structural schemas. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

/** Where the CustomResourceDefinition of a kind lies. */
export function definitionFile(kind: Kind): URL {
  return new URL(`./${KINDS[kind].plural}.yaml`, import.meta.url);
}

/**
 * Reads a kind's schema from its CustomResourceDefinition. What the file writes once and refers to by an alias is one
 * object here, too. Throws where the file cannot be read.
 */
export function readSchema(kind: Kind): Schema {
  const definition = load(readFileSync(definitionFile(kind), 'utf8')) as Definition;
  const version = definition.spec.versions.find((candidate) => candidate.name === VERSION);
  if (version === undefined) throw new Error(`${definitionFile(kind).pathname} has no version ${VERSION}`);
  return version.schema.openAPIV3Schema;
}
