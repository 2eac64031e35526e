/**
 * The conditions that our resources' status shows, and every reason they give. The docs page of reasons is made from
 * this table, so each says what it means and what to do.
 */

/** One entry of `status.conditions`, as api-conventions have it. */
export interface Condition {
  type: string;
  status: ConditionStatus;
  observedGeneration?: number;
  /** When `status` last changed, RFC 3339 in whole seconds. */
  lastTransitionTime: string;
  reason: string;
  /** One sentence that names the field and the remedy. Never a secret. */
  message: string;
}

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** What each condition type tells. */
export const CONDITIONS = {
  Ready: 'Sums up: every ready receiver runs this generation of the resource.',
  TokenUnique: 'The Bearer token belongs to this WebhookSecret alone; shown only where it does not.',
  OldKeysUnused: 'The keys that another has replaced may be removed; shown once two keys were used.',
  Deduplicated: 'What the sender sends again is known as a duplicate.',
  Lossless: 'What the backend tells while nobody listens is not lost; shown of an EventBridge.',
} as const;

export type ConditionType = keyof typeof CONDITIONS;

interface ReasonEntry {
  readonly condition: ConditionType;
  readonly status: ConditionStatus;
  readonly meaning: string;
  readonly remedy: string;
}

/** Every reason, by its name in the status. */
export const REASONS = {
  Live: {
    condition: 'Ready',
    status: 'True',
    meaning: 'Every ready receiver runs this generation.',
    remedy: 'Nothing to do.',
  },
  Suspended: {
    condition: 'Ready',
    status: 'True',
    meaning: 'Every ready receiver runs this generation, and holds its events in the journal.',
    remedy: 'Set spec.suspend to false to deliver them.',
  },
  Publishing: {
    condition: 'Ready',
    status: 'Unknown',
    meaning: 'The routing table is written, and not every ready receiver runs it yet.',
    remedy: 'Wait a moment; if it stays, the message names the receiver that lags: see its log.',
  },
  NoReceiver: {
    condition: 'Ready',
    status: 'Unknown',
    meaning: 'There is no ready receiver that could take an event.',
    remedy: 'Start at least one receiver, or see why none is ready.',
  },
  Invalid: {
    condition: 'Ready',
    status: 'False',
    meaning: 'The spec cannot work as written; an earlier generation that worked keeps serving.',
    remedy: 'Correct the field that the message names.',
  },
  SecretNotFound: {
    condition: 'Ready',
    status: 'False',
    meaning: 'A Secret that the spec names is not in the namespace.',
    remedy: 'Create the Secret, or correct its name in the field that the message names.',
  },
  SecretKeyMissing: {
    condition: 'Ready',
    status: 'False',
    meaning: 'A Secret that the spec names lacks the key, or holds nothing under it.',
    remedy: 'Add the key to the Secret, or correct it in the field that the message names.',
  },
  SourceTaken: {
    condition: 'Ready',
    status: 'False',
    meaning: 'Another WebhookSecret holds the same spec.source, which is unique in the cluster.',
    remedy: 'Choose another spec.source, or delete the WebhookSecret that the message names.',
  },
  CannotVerify: {
    condition: 'Ready',
    status: 'False',
    meaning: 'No key is there to verify with; the endpoint answers 503 until there is one.',
    remedy: 'Add a secret to spec.secrets whose notAfter is not past and whose key fits the scheme.',
  },
  RefNotFound: {
    condition: 'Ready',
    status: 'False',
    meaning: 'An object that the spec names is not in the namespace, or has no address.',
    remedy: 'Create the object, or correct the field that the message names.',
  },
  Forbidden: {
    condition: 'Ready',
    status: 'False',
    meaning: 'The operator may not read something that the spec names; what served before serves on.',
    remedy: 'Give the operator’s role the rule that the message names; the chart’s role has it.',
  },
  EgressRefused: {
    condition: 'Ready',
    status: 'False',
    meaning: 'The target is an address that receivers may not send to.',
    remedy: 'Choose another address, or let the egress policy allow it.',
  },
  TableFull: {
    condition: 'Ready',
    status: 'False',
    meaning: 'The routing table has no room for this resource.',
    remedy: 'Make the resource smaller, or delete resources that are no longer needed.',
  },
  BackendUnreachable: {
    condition: 'Ready',
    status: 'False',
    meaning:
      'The EventBridge cannot read from its backend now; it tries again at once, then ever more seldom.',
    remedy: 'See that the backend runs and that the address and token of spec.source are right.',
  },
  CursorKept: {
    condition: 'Lossless',
    status: 'True',
    meaning: 'The backend keeps its events, and the place up to which they were read is kept in the journal.',
    remedy: 'Nothing to do.',
  },
  BackendRetries: {
    condition: 'Lossless',
    status: 'True',
    meaning: 'The backend calls, and calls again until it is answered.',
    remedy: 'Nothing to do.',
  },
  Reconciled: {
    condition: 'Lossless',
    status: 'True',
    meaning:
      'The backend replays nothing, but its jobs are read after each gap, and what was missed is told.',
    remedy:
      'Nothing to do. What no job record shows (progress, a second retry in one gap) is not told afterwards.',
  },
  NoReplay: {
    condition: 'Lossless',
    status: 'False',
    meaning: 'The backend neither replays its events nor lists its jobs: what it tells during a gap is lost.',
    remedy: 'Use a backend that keeps its events, or let the token read GET /ojs/v1/admin/jobs.',
  },
  ReconcileFailed: {
    condition: 'Lossless',
    status: 'False',
    meaning: 'After the last gap, jobs could not be read in full.',
    remedy: 'See the message; the next reconciliation may do better.',
  },
  NotReading: {
    condition: 'Lossless',
    status: 'Unknown',
    meaning: 'No receiver has told how this EventBridge reads.',
    remedy: 'Wait a moment, or see the condition Ready.',
  },
  EventIdKnown: {
    condition: 'Deduplicated',
    status: 'True',
    meaning: 'The id of an event comes from its sender, or is the hash of what it signed.',
    remedy: 'Nothing to do.',
  },
  NoEventId: {
    condition: 'Deduplicated',
    status: 'False',
    meaning: 'Payloads bring no id, so that each request is a new event.',
    remedy: 'Set spec.event.id to where the sender puts its id, or to { contentHash: true }.',
  },
  SafeToRemove: {
    condition: 'OldKeysUnused',
    status: 'True',
    meaning: 'Keys were not used for 24 hours while another was.',
    remedy: 'Remove the keys that the message names from spec.secrets.',
  },
  OldKeyInUse: {
    condition: 'OldKeysUnused',
    status: 'False',
    meaning:
      'More than one key was used within 24 hours: the sender has not moved to the new one everywhere.',
    remedy: 'Keep the key that the message names until it is unused for 24 hours.',
  },
  TokenTaken: {
    condition: 'TokenUnique',
    status: 'False',
    meaning: 'Another WebhookSecret had the same Bearer token first, and /ojs/v1/cloudevents leads there.',
    remedy: 'Give this WebhookSecret a token of its own; until then it takes events at its own address only.',
  },
  DedupOff: {
    condition: 'Deduplicated',
    status: 'False',
    meaning: 'Repeats are not looked for (spec.dedup.enabled is false): what is sent again runs again.',
    remedy: 'Set spec.dedup.enabled to true, unless that is meant.',
  },
} as const satisfies Readonly<Record<string, ReasonEntry>>;

export type Reason = keyof typeof REASONS;
