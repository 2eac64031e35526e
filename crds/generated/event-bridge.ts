/* Made from crds/eventbridges.yaml by crds/generate.ts: edit that file, then run it again. */

/**
 * An EventBridge reads the events of a job backend and sends them out as CloudEvents; triggers can read from it too.
 */
export interface EventBridge {
  apiVersion: 'signalbox.dev/v1alpha1';
  kind: 'EventBridge';
  metadata: ObjectMeta;
  spec: EventBridgeSpec;
  status?: EventBridgeStatus;
}
/**
 * What Kubernetes keeps about every object, as far as it is used here.
 */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: {
    [k: string]: string;
  };
  annotations?: {
    [k: string]: string;
  };
  finalizers?: string[];
}
/**
 * Which events, and where they go.
 */
export interface EventBridgeSpec {
  /**
   * true: events are read and held in the journal, and delivered once it is false again.
   */
  suspend?: boolean;
  /**
   * What it reads from, exactly one member.
   */
  source: {
    ojs?: OjsSource;
  };
  /**
   * Globs over the backend's event types, such as job.*; one of them must match. None: all do.
   */
  filters?: string[];
  sink?: BridgeSink;
  /**
   * How events travel, as one JSON document each, as headers and body, or many in one document.
   */
  format?: 'structured' | 'binary' | 'batch';
  batch?: Batch;
  /**
   * Put before the backend's event type.
   */
  typePrefix?: string;
  /**
   * The events' source, a URI reference that names the backend (/ojs/backend/redis).
   */
  sourceUri?: string;
  /**
   * What every event gets (Knative's CloudEventOverrides).
   */
  ceOverrides?: {
    /**
     * Extension attributes by name.
     */
    extensions?: {
      [k: string]: string;
    };
  };
  delivery?: Delivery;
}
/**
 * An Open Job Spec backend.
 */
export interface OjsSource {
  /**
   * An absolute http or https address; beside a ref, a path on it.
   */
  uri?: string;
  ref?: ObjectReference;
  /**
   * An OJSCluster in the same namespace.
   */
  clusterRef?: {
    /**
     * Its name.
     */
    name: string;
  };
  /**
   * Sent as Authorization: Bearer.
   */
  auth?: {
    secretKeyRef: SecretKeyReference;
  };
  /**
   * How events are read. Auto tries what the backend offers, the best first, and status tells what it settled on.
   */
  transport?: 'Auto' | 'SSE' | 'WebSocket' | 'Poll' | 'Webhook';
  /**
   * With transport Webhook: the endpoint that takes the backend's calls (scheme OJS).
   */
  webhookSecret?: {
    /**
     * Its name.
     */
    name: string;
  };
  /**
   * Which queues it reads; none means all.
   */
  queues?: string[];
  /**
   * Which job types it reads; none means all.
   */
  jobTypes?: string[];
  /**
   * How often it asks, where it has to ask.
   */
  pollInterval?: string;
  /**
   * Reads the job for what its event leaves out (attempt, duration, result, error).
   */
  enrich?: boolean;
  /**
   * Certificate authorities to trust for this address, in PEM; empty for the usual ones.
   */
  caCerts?: string;
}
/**
 * An object in the same namespace that has an address: a Service, or an Addressable such as a Broker.
 */
export interface ObjectReference {
  /**
   * Its API version (v1, eventing.knative.dev/v1).
   */
  apiVersion: string;
  /**
   * Its kind.
   */
  kind: string;
  /**
   * Its name.
   */
  name: string;
}
/**
 * A key of a Secret in the same namespace.
 */
export interface SecretKeyReference {
  /**
   * The Secret's name.
   */
  name: string;
  /**
   * The key within the Secret.
   */
  key: string;
}
/**
 * A receiver of CloudEvents over HTTP. Left out: the events go only to the triggers that read from this bridge.
 */
export interface BridgeSink {
  /**
   * An absolute http or https address; beside a ref, a path on it.
   */
  uri?: string;
  ref?: ObjectReference;
  sign?: Signing;
  /**
   * Headers that each request gets, such as an API key.
   */
  headers?: SinkHeader[];
  /**
   * Certificate authorities to trust for this address, in PEM; empty for the usual ones.
   */
  caCerts?: string;
}
/**
 * Signs what leaves, by the schemes that WebhookSecret verifies.
 */
export interface Signing {
  /**
   * How the request is signed.
   */
  scheme:
    | 'Emporix'
    | 'EmporixCommerce'
    | 'GitHub'
    | 'GitLab'
    | 'Stripe'
    | 'Slack'
    | 'Shopify'
    | 'StandardWebhooks'
    | 'Twilio'
    | 'OJS'
    | 'Convoy'
    | 'SignedHeaders'
    | 'Basic'
    | 'Bearer'
    | 'HMAC';
  /**
   * The signature as a recipe. With scheme HMAC only.
   */
  hmac?: {
    /**
     * The header that carries the signature.
     */
    header: string;
    /**
     * Put before each signature, for example sha256=.
     */
    prefix?: string;
    /**
     * Put between several signatures, or between the fields of the header.
     */
    separator?: string;
    /**
     * Names within the header, where it reads like t=1700000000,v1=5257a8.
     */
    fields?: {
      /**
       * The name within the signature header.
       */
      timestamp?: string;
      /**
       * The name within the signature header.
       */
      signature?: string;
      /**
       * The name within the signature header.
       */
      id?: string;
    };
    /**
     * Where the time of sending goes, if it is no field of the signature header.
     */
    timestamp?: {
      /**
       * The header.
       */
      header: string;
      /**
       * How the time is written.
       */
      unit?: 'Seconds' | 'Milliseconds' | 'RFC3339';
    };
    /**
     * Where the event's id goes.
     */
    id?: {
      /**
       * The header.
       */
      header: string;
    };
    /**
     * The hash of the HMAC.
     */
    algorithm?: 'SHA1' | 'SHA256' | 'SHA512';
    /**
     * How the signature is written.
     */
    encoding?: 'Hex' | 'Base64' | 'Base64URL';
    /**
     * How the key is written in its Secret.
     */
    keyEncoding?: 'UTF8' | 'Base64' | 'Hex';
    /**
     * Cut from the key before it is decoded, for example whsec_.
     */
    keyPrefix?: string;
    /**
     * What is signed, with {body}, {timestamp}, {id}, {url} and {header:Name} in their places. Default: {timestamp}.{body} where the recipe has a timestamp, else {body}.
     */
    signedContent?: string;
  };
  /**
   * The keys. A scheme that carries several signatures sends one per key.
   */
  secrets: {
    /**
     * How status and decision records call it. Never sent anywhere.
     */
    name: string;
    secretKeyRef: SecretKeyReference;
    /**
     * From then on the key no longer signs (RFC 3339).
     */
    notAfter?: string;
  }[];
}
export interface SinkHeader {
  /**
   * The header's name.
   */
  name: string;
  /**
   * What it says, where that is no secret.
   */
  value?: string;
  secretKeyRef?: SecretKeyReference;
}
/**
 * With format: batch, when a batch is full.
 */
export interface Batch {
  /**
   * How many events.
   */
  events?: number;
  /**
   * How many bytes, as a number or as 512Ki, 1Mi, 1M.
   */
  bytes?: number | string;
  /**
   * How long it waits for more events.
   */
  wait?: string;
}
/**
 * How it is delivered; retry and backoff as Knative's DeliverySpec has them.
 */
export interface Delivery {
  /**
   * How many times a failed delivery is tried again. Left out: for 24 h, with growing delays.
   */
  retry?: number;
  /**
   * How the delays grow: exponential doubles them, linear adds to them.
   */
  backoffPolicy?: 'exponential' | 'linear';
  /**
   * The first delay (PT0.2S, 200ms).
   */
  backoffDelay?: string;
  /**
   * How long one attempt may take.
   */
  timeout?: string;
  /**
   * Up to how long the target's Retry-After is honoured.
   */
  retryAfterMax?: string;
  deadLetterSink?: DeadLetterSink;
  /**
   * How many deliveries to the target are under way at once.
   */
  concurrency?: number;
  rateLimit?: RateLimit;
  /**
   * PerSubject: events of one subject are delivered in the order in which they came.
   */
  ordering?: 'None' | 'PerSubject';
}
/**
 * Where an event goes whose delivery failed for good. It is kept for a redrive as well.
 */
export interface DeadLetterSink {
  /**
   * An absolute http or https address; beside a ref, a path on it.
   */
  uri?: string;
  ref?: ObjectReference;
  /**
   * Certificate authorities to trust for this address, in PEM; empty for the usual ones.
   */
  caCerts?: string;
}
/**
 * How many deliveries are made in a while. Left out: as many as concurrency allows.
 */
export interface RateLimit {
  /**
   * How many.
   */
  requests: number;
  /**
   * In how long a while.
   */
  per?: string;
}
/**
 * What the operator found, and what the receivers tell.
 */
export interface EventBridgeStatus {
  /**
   * The generation that this status is about.
   */
  observedGeneration?: number;
  /**
   * The generation that the receivers run; older than observedGeneration while an edit is refused.
   */
  servingGeneration?: number;
  /**
   * Ready sums up.
   */
  conditions?: Condition[];
  /**
   * How it reads from the backend now.
   */
  transport?: string;
  /**
   * The backend's address, refs resolved.
   */
  sourceUri?: string;
  /**
   * Where its events go, refs resolved.
   */
  sinkUri?: string;
  traffic?: Traffic;
}
export interface Condition {
  /**
   * What the condition is about.
   */
  type: string;
  /**
   * Whether it holds.
   */
  status: 'True' | 'False' | 'Unknown';
  /**
   * The generation that the condition is about.
   */
  observedGeneration?: number;
  /**
   * When status last changed.
   */
  lastTransitionTime: string;
  /**
   * Why, in one word for programs.
   */
  reason: string;
  /**
   * Why, in one sentence for people.
   */
  message: string;
}
/**
 * What passed, told at most every 30 seconds.
 */
export interface Traffic {
  /**
   * When it last read an event.
   */
  lastEvent?: string;
  /**
   * Events read.
   */
  read?: number;
  /**
   * Deliveries made.
   */
  delivered?: number;
  /**
   * Deliveries that failed for good.
   */
  failed?: number;
  /**
   * Deliveries that wait.
   */
  backlog?: number;
}
