/*
 * The resources as planning reads them: the CRDs' own types. They have passed the schema; its defaults may be applied
 * (by the API server) or not (a manifest from a file).
 */

export type {
  EventBridge,
  EventBridgeSpec,
  OjsSource as OjsSourceSpec,
} from '../../crds/generated/event-bridge.ts';
export type {
  DeadLetterSink,
  Delivery,
  EventTrigger,
  EventTriggerSpec,
  JobTarget,
  ObjectMeta,
  ObjectReference,
  SecretKeyReference,
  Signing,
  SinkHeader,
  SinkTarget,
  Step,
  Target,
  TriggerSource,
  Wait,
  WaitFor,
} from '../../crds/generated/event-trigger.ts';
export type {
  Dedup,
  HmacRecipe,
  WebhookSecret,
  WebhookSecretSpec,
} from '../../crds/generated/webhook-secret.ts';

/** What a resource is known by; what a manifest leaves out is filled in. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
}

export function identityOf(resource: {
  readonly metadata: { readonly name: string; namespace?: string; uid?: string; generation?: number };
}): Identity {
  const { namespace = 'default', name, uid = '', generation = 1 } = resource.metadata;
  return { namespace, name, uid, generation };
}
