import type { Finding } from '../../receiver/errors.ts';
import type { Entry } from '../../receiver/routing/table.ts';
import type { SecretToMake } from './generate.ts';

/** A condition before it has a time and a generation. */
export interface PlannedCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** CamelCase, one of crds/conditions.ts. */
  readonly reason: string;
  /** One sentence that names the field and the remedy; never a secret. */
  readonly message: string;
}

/** What one resource's plan comes to. */
export interface Outcome {
  /** What the receivers shall run; undefined: nothing of this resource. */
  readonly entry: Entry | undefined;
  /**
   * Whether all is well as far as the operator can tell. `Ready` of the resource is this, and where it is True it
   * waits for the receivers to confirm the entry.
   */
  readonly ready: PlannedCondition;
  /** Conditions beside Ready. */
  readonly conditions: readonly PlannedCondition[];
  /** What the author should fix. Where Ready is True it works nevertheless. */
  readonly findings: readonly Finding[];
  /** Status fields beside the conditions, as they are written. */
  readonly status: PlannedStatus;
  /** When it is another plan with nothing changed, in milliseconds since the epoch: a key ends. */
  readonly until?: number;
  /** Secrets that are missing and that `spec.generate` asks for. */
  readonly toMake?: readonly SecretToMake[];
}

/** Status fields that planning knows, under their names in the CRDs. */
export interface PlannedStatus {
  /** The generation of `entry`; older than the resource's while an edit is refused. */
  readonly servingGeneration?: number;
  /** WebhookSecret: the endpoint's name in force. */
  readonly source?: string;
  /** WebhookSecret: where senders send. */
  readonly url?: string;
  /** EventTrigger: its in-cluster address (Knative's Addressable). */
  readonly address?: { readonly url: string; readonly audience?: string };
  /** EventTrigger: the addresses that its destinations resolved to. */
  readonly targetUri?: string;
  readonly deadLetterSinkUri?: string;
  /** WebhookSecret: its keys, without anything of their content. */
  readonly keys?: readonly { readonly name: string; readonly lastUsed?: string }[];
  /** EventBridge: how it reads from its backend, the backend's address, and where its events go. */
  readonly transport?: string;
  readonly sourceUri?: string;
  readonly sinkUri?: string;
}
