/**
 * The routing table: the contract between the operator, which writes it, and the receivers, which run it.
 * It is self-contained (key material and resolved addresses included), versioned, and plain JSON.
 * Entries keep the field names of the resources they come from, so that a finding's path is the author's path.
 */

/** Raised when an older receiver could misread a newer table. */
export const TABLE_VERSION = 1;

/** Where an entry comes from. */
export interface Origin {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The `metadata.generation` that this entry was made from. */
  readonly generation: number;
}

/** A whole table. `revision` grows with every change; a receiver that reports n runs all that was published up to n. */
export interface RoutingTable {
  readonly version: typeof TABLE_VERSION;
  readonly revision: number;
  readonly entries: readonly Entry[];
}

export type Entry = EndpointEntry | TriggerEntry | BridgeEntry;

/** `WebhookSecret/shop/stripe`: unique within a table. */
export function entryKey(entry: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string {
  return `${entry.kind}/${entry.namespace}/${entry.name}`;
}

// ---------------------------------------------------------------- WebhookSecret

export interface EndpointEntry extends Origin {
  readonly kind: 'WebhookSecret';
  /** The `{source}` of `POST /e/{source}`. */
  readonly source: string;
  readonly scheme: string;
  /** With scheme `HMAC`: the recipe as written, defaults applied. */
  readonly hmac?: HmacRecipe;
  readonly jwt?: JwtRecipe;
  readonly keys: readonly KeyMaterial[];
  /** Set where the endpoint exists but cannot verify anything: why (safe to log). It answers 503. */
  readonly cannotVerify?: string;
  readonly publicUrl?: string;
  readonly event?: EventMapping;
  readonly dedup: Dedup;
  readonly limits: EndpointLimits;
}

/** One secret that verifies. */
export interface KeyMaterial {
  readonly name: string;
  /** Base64 of the Secret's bytes. */
  readonly secret: string;
  /** Milliseconds since the epoch; from then on the key no longer verifies. */
  readonly notAfter?: number;
  /**
   * Scheme Bearer: `namespace/name` of the WebhookSecret that had this token first. Where only the token names the
   * endpoint (`/ojs/v1/cloudevents`) it leads there.
   */
  readonly heldBy?: string;
}

/** What signs a request that leaves: a scheme's name, its recipe where it is `HMAC`, and the keys, the preferred first. */
export interface Signing {
  readonly scheme: string;
  readonly hmac?: HmacRecipe;
  readonly keys: readonly KeyMaterial[];
}

export interface HmacRecipe {
  readonly header: string;
  readonly prefix?: string;
  readonly separator?: string;
  readonly fields?: { readonly timestamp?: string; readonly signature?: string; readonly id?: string };
  readonly timestamp?: { readonly header: string; readonly unit?: 'Seconds' | 'Milliseconds' | 'RFC3339' };
  readonly id?: { readonly header: string };
  readonly algorithm?: 'SHA1' | 'SHA256' | 'SHA512';
  readonly encoding?: 'Hex' | 'Base64' | 'Base64URL';
  readonly keyEncoding?: 'UTF8' | 'Base64' | 'Hex';
  readonly keyPrefix?: string;
  readonly signedContent?: string;
  readonly toleranceMs?: number;
}

export interface JwtRecipe {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwksUri?: string;
  /** A JWKS document as JSON text. */
  readonly jwks?: string;
  readonly algorithms: readonly string[];
}

/** How a payload that is no CloudEvent becomes one (`spec.event`). */
export interface EventMapping {
  readonly type?: ValueSource;
  readonly id?: ValueSource | { readonly contentHash: true } | { readonly unique: true };
  readonly source?: ValueSource;
  readonly subject?: ValueSource;
  readonly time?: ValueSource;
  readonly extensions?: readonly (ValueSource & { readonly name: string })[];
  readonly binary?: 'Accept' | 'Ignore';
}

/** Exactly one of `header`, `jsonPath` and `value`; `prefix` is put before what it yields. */
export interface ValueSource {
  readonly header?: string;
  readonly jsonPath?: string;
  readonly value?: string;
  readonly prefix?: string;
}

export interface Dedup {
  readonly enabled: boolean;
  readonly windowMs: number;
}

export interface EndpointLimits {
  readonly bodyBytes: number;
  readonly rate?: { readonly requests: number; readonly perMs: number };
}

// ---------------------------------------------------------------- EventTrigger

export interface TriggerEntry extends Origin {
  readonly kind: 'EventTrigger';
  readonly suspend: boolean;
  readonly from: TriggerSources;
  readonly filters: readonly Filter[];
  readonly condition?: string;
  /** What is sent. A delivery pins it by content hash: an edit changes only what comes later. */
  readonly shape: Shape;
  /** Where to, and with which credentials: taken anew at each attempt. */
  readonly destination: Destination;
  /** By which policy: taken anew at each attempt. */
  readonly policy: DeliveryPolicy;
  /**
   * Set where it is a value stream: a match starts or wakes an instance instead of being sent. `shape`, `destination` and
   * `policy` are then those of the events that it could not use (its dead letters).
   */
  readonly stream?: StreamEntry;
}

/** A value stream as instances run it; each stays on the one that it started with. */
export interface StreamShape {
  readonly onStart: 'Always' | 'StartOrWake';
  /** CEL: the correlation key of an event that starts or wakes. With `StartOrWake` only. */
  readonly correlate?: string;
  /** How long a finished instance keeps its key. */
  readonly keyRetentionMs: number;
  readonly inbox: InboxBounds;
  readonly steps: readonly StepShape[];
}

/** What is held for a step that does not wait yet, per instance or key. */
export interface InboxBounds {
  readonly events: number;
  readonly bytes: number;
  readonly retentionMs: number;
}

export interface StepShape {
  readonly name: string;
  readonly wait?: WaitShape;
  /** `Answer`: it sends the answer of the step before instead of the event. */
  readonly input?: 'Answer';
  readonly condition?: string;
  readonly shape: Shape;
}

/** Exactly one of `sleepMs`, `sleepUntil`, `filters`, `all`, `any` and `job` is set. */
export interface WaitShape {
  readonly sleepMs?: number;
  /** CEL */
  readonly sleepUntil?: string;
  readonly filters?: readonly Filter[];
  /** CEL; with `filters` only. */
  readonly correlate?: string;
  readonly all?: readonly NamedWaitShape[];
  readonly any?: readonly NamedWaitShape[];
  /** The job of an earlier step, as the named EventBridge of the trigger's namespace tells of it. */
  readonly job?: { readonly step: string; readonly eventBridge: string };
  readonly timeoutMs?: number;
  readonly onTimeout?: 'Fail' | 'Continue';
}

export interface NamedWaitShape {
  readonly name: string;
  readonly filters: readonly Filter[];
  readonly correlate?: string;
}

/** The stream in force: what new instances run, and where each step goes now. */
export interface StreamEntry extends StreamShape {
  readonly steps: readonly StepEntry[];
}

export interface StepEntry extends StepShape {
  /** Taken anew at each attempt, by the step's name. */
  readonly destination: Destination;
  readonly policy: DeliveryPolicy;
}

/** Names are in the trigger's own namespace. */
export interface TriggerSources {
  readonly webhookSecrets: readonly string[];
  readonly eventBridges: readonly string[];
  readonly cluster?: {
    readonly audience?: string;
    readonly subjects?: readonly string[];
    readonly dedup: Dedup;
  };
}

/** One filter: exactly one dialect is set (Knative's names and meaning). */
export interface Filter {
  readonly exact?: Readonly<Record<string, string>>;
  readonly prefix?: Readonly<Record<string, string>>;
  readonly suffix?: Readonly<Record<string, string>>;
  readonly all?: readonly Filter[];
  readonly any?: readonly Filter[];
  readonly not?: Filter;
  readonly cesql?: string;
}

export interface Shape {
  readonly map?: EventMap;
  readonly sink?: { readonly format: 'binary' | 'structured' };
  readonly job?: JobShape;
}

/** `spec.map`: what is named is replaced, the rest leaves as it came. */
export interface EventMap {
  readonly type?: MapValue;
  readonly source?: MapValue;
  readonly subject?: MapValue;
  /** `null` drops the extension. */
  readonly extensions?: Readonly<Record<string, MapValue | null>>;
  readonly data?: { readonly template: unknown };
}

export interface MapValue {
  readonly value?: string;
  readonly jsonPath?: string;
}

export interface JobShape {
  readonly type?: string;
  readonly types?: readonly {
    readonly eventType: string;
    readonly jobType: string;
    readonly args?: JobArgs;
  }[];
  readonly stripPrefix?: string;
  readonly args?: JobArgs;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Exactly one is set; none means `passThrough`. */
export interface JobArgs {
  readonly passThrough?: Readonly<Record<string, never>>;
  readonly jsonPath?: readonly string[];
  readonly template?: unknown;
}

export interface Destination {
  readonly kind: 'job' | 'sink';
  /** Absolute. For a job: the backend's base address, to which `/ojs/v1/jobs` is added. */
  readonly url: string;
  /** The cluster said where it is (`ref`), and not the resource's author. */
  readonly byRef?: true;
  /** Credentials and constant headers, values resolved. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** How each attempt is signed. */
  readonly sign?: Signing;
  /** PEM. */
  readonly caCerts?: string;
  /** Set where it cannot be reached by configuration (an unresolved ref): why. Deliveries wait. */
  readonly unresolved?: string;
  /** A job backend that may get what its own events cause. */
  readonly allowLoop?: true;
}

export interface DeliveryPolicy {
  /** Retries after the first attempt; left out: retry for `maxAgeMs`, delays growing to `ceilingMs`. */
  readonly retry?: number;
  readonly backoffPolicy: 'exponential' | 'linear';
  readonly backoffDelayMs: number;
  readonly ceilingMs: number;
  readonly maxAgeMs: number;
  readonly timeoutMs: number;
  readonly retryAfterMaxMs: number;
  readonly concurrency: number;
  readonly rateLimit?: { readonly requests: number; readonly perMs: number };
  readonly ordering: 'None' | 'PerSubject';
  readonly deadLetter?: Destination;
  /** Several events travel in one request. */
  readonly batch?: BatchPolicy;
}

/** When a batch is full. */
export interface BatchPolicy {
  readonly events: number;
  readonly bytes: number;
  /** How long the first event waits for others. */
  readonly waitMs: number;
  /** Batches on their way at once; left out: the policy's `concurrency`. */
  readonly requests?: number;
}

// ---------------------------------------------------------------- EventBridge

/** What a bridge reads, what it makes of it, and where that goes. Triggers may read from it besides. */
export interface BridgeEntry extends Origin {
  readonly kind: 'EventBridge';
  /** true: what is read waits in the journal. */
  readonly suspend: boolean;
  readonly source: OjsSource;
  /** Globs over the backend's own event types, one of which must fit; none: all do. */
  readonly filters: readonly string[];
  /** Stands before the backend's event type. */
  readonly typePrefix: string;
  /** The `source` of every event. */
  readonly sourceUri: string;
  /** Extensions that every event gets (`spec.ceOverrides`). */
  readonly extensions: Readonly<Record<string, string>>;
  /** Left out: only triggers get the events. */
  readonly sink?: BridgeSink;
}

/** How the events of a backend are read (`spec.source.ojs.transport`). */
export type TransportName = 'Auto' | 'SSE' | 'WebSocket' | 'Poll' | 'Webhook';

/** An Open Job Spec backend, to read from. */
export interface OjsSource {
  /** Its base address, credentials and trust; `unresolved` where there is no way there. */
  readonly backend: Destination;
  readonly transport: TransportName;
  /** With transport Webhook: the WebhookSecret whose endpoint takes the backend's calls. */
  readonly webhookSecret?: string;
  /** None: all. */
  readonly queues: readonly string[];
  /** None: all. */
  readonly jobTypes: readonly string[];
  readonly pollIntervalMs: number;
  /** Whether the job is read for what its event leaves out. */
  readonly enrich: boolean;
}

/** Where a bridge's events go by themselves: delivered like a trigger's, whose key is `EventBridge/namespace/name`. */
export interface BridgeSink {
  readonly shape: Shape;
  readonly destination: Destination;
  readonly policy: DeliveryPolicy;
}
