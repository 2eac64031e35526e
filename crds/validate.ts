import type { Schema } from './definition.ts';
import type { Finding } from './finding.ts';
import type { EventBridge } from './generated/event-bridge.ts';
import type { EventTrigger } from './generated/event-trigger.ts';
import schemas from './generated/schemas.json' with { type: 'json' };
import type { WebhookSecret } from './generated/webhook-secret.ts';
import { API_VERSION, type Kind } from './group.ts';
import { checkValue } from './validation/check.ts';
import { applyDefaults } from './validation/defaults.ts';
import { METADATA } from './validation/metadata.ts';
import { isRecord } from './validation/record.ts';
import { compileRules } from './validation/rules.ts';

/** The type of each kind's objects. */
export interface Resources {
  EventTrigger: EventTrigger;
  EventBridge: EventBridge;
  WebhookSecret: WebhookSecret;
}

/** `value` is a deep copy with the defaults set; it is of its kind's type only where there are no findings. */
export interface Validation<K extends Kind> {
  readonly value: Resources[K];
  readonly findings: readonly Finding[];
}

const SPECS = schemas as unknown as Readonly<Record<Kind, Schema>>;
const RULES = compileRules(Object.values(SPECS));

/**
 * Checks a manifest as the API server would, without one: by the same schema, defaults and CEL rules, and as strictly
 * as `kubectl apply`, which refuses unknown fields. Tells every finding at once and never throws on bad input.
 * A `status` is passed over, as the API server does on apply.
 *
 * @example
 * const { value, findings } = validateManifest('EventTrigger', load(text));
 */
export function validateManifest<K extends Kind>(kind: K, object: unknown): Validation<K> {
  const value: unknown = structuredClone(object);
  if (!isRecord(value))
    return { value: value as never, findings: [{ field: kind, message: 'must be an object' }] };
  applyDefaults(value, schemaOf(kind));
  // An empty path makes every field begin with a dot.
  const findings = checkValue(value, schemaOf(kind), '', RULES);
  return {
    value: value as unknown as Resources[K],
    findings: findings.map(({ field, message }) => ({ field: field.slice(1) || kind, message })),
  };
}

function schemaOf(kind: Kind): Schema {
  return {
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { type: 'string', enum: [API_VERSION] },
      kind: { type: 'string', enum: [kind] },
      metadata: METADATA,
      spec: SPECS[kind],
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  };
}
