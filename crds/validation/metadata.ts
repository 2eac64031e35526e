import type { Schema } from '../definition.ts';
import { LABEL, SUBDOMAIN } from './patterns.ts';

const TEXTS: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const TEXT: Schema = { type: 'string' };

/** What a manifest's `metadata` may hold. The CRDs leave it to the API server, which checks it by itself. */
export const METADATA: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 253, pattern: SUBDOMAIN },
    namespace: { type: 'string', minLength: 1, maxLength: 63, pattern: LABEL },
    labels: TEXTS,
    annotations: TEXTS,
    finalizers: { type: 'array', items: TEXT },
    ownerReferences: {
      type: 'array',
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
    managedFields: { type: 'array', items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    generateName: TEXT,
    uid: TEXT,
    resourceVersion: TEXT,
    selfLink: TEXT,
    generation: { type: 'integer' },
    creationTimestamp: { type: 'string', nullable: true },
    deletionTimestamp: TEXT,
    deletionGracePeriodSeconds: { type: 'integer' },
  },
};
