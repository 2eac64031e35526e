import { GROUP, isKind, KINDS, type Kind } from '../../crds/group.ts';
import { nearest } from '../../crds/nearest.ts';
import type { Finding } from '../../receiver/errors.ts';
import { formatFinding } from './finding.ts';
import type { Document } from './parse.ts';
import { decodeSecret } from './secret.ts';

/** A resource that `signalbox` runs, valid by its schema. */
export interface Resource {
  readonly kind: Kind | 'Secret';
  readonly namespace: string;
  readonly name: string;
  /** A Secret: its values as bytes by key. Any other: the whole object, with its defaults where the schema sets them. */
  readonly content: unknown;
}

/** What a set of documents holds. */
export interface Collection {
  /** Usable resources by `Kind/namespace/name`. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** Keys of those that are there but not usable. */
  readonly broken: ReadonlySet<string>;
  /** One line per finding. */
  readonly problems: readonly string[];
  /** `Kind namespace/name` of each resource that is none of ours. */
  readonly foreign: readonly string[];
}

/** Checks an object against its kind's schema (crds/validate.ts). */
export type Validate = (
  kind: Kind,
  object: unknown,
) => { readonly value: unknown; readonly findings: readonly Finding[] };

const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$/;

interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Sorts documents into what runs, what is broken and what is none of ours. The first of two with one name counts. */
export function collect(documents: readonly Document[], validate: Validate): Collection {
  const resources = new Map<string, Resource>();
  const broken = new Set<string>();
  const problems: string[] = [];
  const foreign: string[] = [];
  const files = new Map<string, string>();
  for (const document of documents) {
    const identity = identify(document.value);
    if (typeof identity === 'string') {
      problems.push(`${document.file}: ${identity}`);
      continue;
    }
    if (isForeign(identity)) {
      foreign.push(`${identity.kind} ${identity.namespace}/${identity.name}`);
      continue;
    }
    const key = `${identity.kind}/${identity.namespace}/${identity.name}`;
    const { content, findings } = checked(identity, files.get(key), document.file, validate);
    problems.push(...findings.map((finding) => formatFinding({ ...identity, ...finding })));
    if (files.has(key)) continue;
    files.set(key, document.file);
    if (findings.length > 0) broken.add(key);
    else
      resources.set(key, {
        kind: identity.kind as Resource['kind'],
        namespace: identity.namespace,
        name: identity.name,
        content,
      });
  }
  return { resources, broken, problems, foreign };
}

/** What a document claims to be, or why it is no resource at all. */
function identify(value: unknown): Identity | string {
  if (!isRecord(value))
    return 'holds a document that is no resource; write apiVersion, kind and metadata, or remove it.';
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return 'holds a document without apiVersion and kind; add both, for example apiVersion: signalbox.dev/v1alpha1.';
  }
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {};
  const { name, namespace } = metadata;
  return {
    apiVersion,
    kind,
    namespace: typeof namespace === 'string' ? namespace : 'default',
    name: typeof name === 'string' ? name : '',
    object: value,
  };
}

function isForeign({ apiVersion, kind }: Identity): boolean {
  return !(apiVersion.startsWith(`${GROUP}/`) || (apiVersion === 'v1' && kind === 'Secret'));
}

function checked(
  identity: Identity,
  otherFile: string | undefined,
  file: string,
  validate: Validate,
): { readonly content: unknown; readonly findings: readonly Finding[] } {
  const { kind, object } = identity;
  if (otherFile !== undefined) {
    const message = `is defined in ${otherFile} and again in ${file}: the first counts, rename or remove the other`;
    return { content: undefined, findings: [{ field: 'metadata.name', message }] };
  }
  if (kind === 'Secret' && identity.apiVersion === 'v1') {
    const secret = decodeSecret(object);
    return { content: secret.data, findings: [...secretNameFindings(identity), ...secret.findings] };
  }
  if (!isKind(kind)) return { content: undefined, findings: [unknownKind(kind)] };
  const { value, findings } = validate(kind, object);
  return { content: value, findings };
}

function secretNameFindings({ name }: Identity): readonly Finding[] {
  if (SUBDOMAIN.test(name)) return [];
  const remedy =
    name === ''
      ? 'is required: add it'
      : 'is no Kubernetes name: use lower-case letters, digits, dots and dashes';
  return [{ field: 'metadata.name', message: remedy }];
}

function unknownKind(kind: string): Finding {
  const known = Object.keys(KINDS);
  const meant = nearest(kind, known);
  const remedy = meant === undefined ? `the kinds are ${known.join(', ')}` : `did you mean ${meant}?`;
  return { field: 'kind', message: `"${kind}" is no kind of ${GROUP}: ${remedy}` };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
