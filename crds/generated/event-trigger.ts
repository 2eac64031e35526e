/* Made from crds/eventtriggers.yaml by crds/generate.ts: edit that file, then run it again. */

/**
 * An EventTrigger turns events into work: those that match its filters become a job, are forwarded to a sink, or start and wake the instances of a value stream.
 */
export interface EventTrigger {
  apiVersion: 'signalbox.dev/v1alpha1';
  kind: 'EventTrigger';
  metadata: ObjectMeta;
  spec: EventTriggerSpec;
  status?: EventTriggerStatus;
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
 * Which events, and what they do.
 */
export interface EventTriggerSpec {
  /**
   * true: events are taken and held in the journal, and delivered once it is false again.
   */
  suspend?: boolean;
  /**
   * Where its events come from, one member set in each entry. Default: cluster, the trigger's own address within the cluster.
   */
  from?: TriggerSource[];
  /**
   * All of them must match; none: every event does. One dialect is set in each (exact, prefix, suffix, all, any, not, cesql, as Knative has them), nested at most three deep.
   */
  filters?: Filter[];
  /**
   * A CEL expression that must be true as well. It sees event (the attributes as strings) and data (the parsed JSON, or null), as in data.amount > 100. An error is no match.
   */
  condition?: string;
  /**
   * A CEL expression that yields the instance's key, unique within this trigger, as in data.orderId. Needs onStart StartOrWake.
   */
  correlate?: string;
  /**
   * Always: each matching event starts an instance. StartOrWake: it wakes the instance that has its correlation key, and starts one where there is none.
   */
  onStart?: 'Always' | 'StartOrWake';
  /**
   * How long a finished instance keeps its key, so that stragglers start nothing. Default: 24h.
   */
  keyRetention?: string;
  inbox?: Inbox;
  map?: EventMap;
  target?: Target;
  /**
   * Makes it a value stream: a matching event starts an instance, which walks through the steps in their order. A running instance stays on the steps it started with.
   */
  steps?: Step[];
  delivery?: Delivery;
}
export interface TriggerSource {
  /**
   * The verified events of a WebhookSecret in the same namespace.
   */
  webhookSecret?: {
    /**
     * Its name.
     */
    name: string;
  };
  /**
   * The events that an EventBridge in the same namespace reads.
   */
  eventBridge?: {
    /**
     * Its name.
     */
    name: string;
  };
  cluster?: ClusterSource;
}
/**
 * The trigger's own address within the cluster (status.address).
 */
export interface ClusterSource {
  /**
   * A token of the cluster's issuer with this audience is required. Left out: anyone who reaches the address may send.
   */
  audience?: string;
  /**
   * Whose tokens count; a trailing * stands for any end. Left out: everyone's.
   */
  subjects?: string[];
  /**
   * The same source and id is accepted once within the window; a repeat gets the first answer.
   */
  dedup?: {
    /**
     * Whether repeats are recognised.
     */
    enabled?: boolean;
    /**
     * How long an id is remembered (72h, PT72H).
     */
    window?: string;
  };
}
/**
 * One dialect.
 */
export interface Filter {
  /**
   * Each named attribute equals its value.
   */
  exact?: {
    [k: string]: string;
  };
  /**
   * Each named attribute begins with its value.
   */
  prefix?: {
    [k: string]: string;
  };
  /**
   * Each named attribute ends with its value.
   */
  suffix?: {
    [k: string]: string;
  };
  /**
   * A CloudEvents SQL expression. An error is no match.
   */
  cesql?: string;
  /**
   * Every one of them matches.
   */
  all?: FilterWithin[];
  /**
   * At least one of them matches.
   */
  any?: FilterWithin[];
  not?: FilterWithin;
}
/**
 * One dialect; under not, it must not match.
 */
export interface FilterWithin {
  /**
   * Each named attribute equals its value.
   */
  exact?: {
    [k: string]: string;
  };
  /**
   * Each named attribute begins with its value.
   */
  prefix?: {
    [k: string]: string;
  };
  /**
   * Each named attribute ends with its value.
   */
  suffix?: {
    [k: string]: string;
  };
  /**
   * A CloudEvents SQL expression. An error is no match.
   */
  cesql?: string;
  /**
   * Every one of them matches.
   */
  all?: FilterInnermost[];
  /**
   * At least one of them matches.
   */
  any?: FilterInnermost[];
  not?: FilterInnermost;
}
/**
 * One dialect; under not, it must not match.
 */
export interface FilterInnermost {
  /**
   * Each named attribute equals its value.
   */
  exact?: {
    [k: string]: string;
  };
  /**
   * Each named attribute begins with its value.
   */
  prefix?: {
    [k: string]: string;
  };
  /**
   * Each named attribute ends with its value.
   */
  suffix?: {
    [k: string]: string;
  };
  /**
   * A CloudEvents SQL expression. An error is no match.
   */
  cesql?: string;
}
/**
 * Bounds what is held for a step that does not wait yet, per instance or key.
 */
export interface Inbox {
  /**
   * How many events.
   */
  events?: number;
  /**
   * How many bytes, as a number or as 512Ki, 1Mi, 1M.
   */
  bytes?: number | string;
  /**
   * How long.
   */
  retention?: string;
}
/**
 * Reshapes the event before it leaves; what is not named stays as it came.
 */
export interface EventMap {
  type?: MapValue;
  source?: MapValue;
  subject?: MapValue;
  /**
   * Extension attributes by name; null drops one.
   */
  extensions?: {
    [k: string]: {
      /**
       * A constant.
       */
      value?: string;
      /**
       * An RFC 9535 JSONPath, rooted at the event in JSON form ($.data.id, $.type).
       */
      jsonPath?: string;
    } | null;
  };
  /**
   * The event's data.
   */
  data?: {
    /**
     * Any JSON. A string that begins with $. or $[ is a JSONPath and yields its value; a leading $$ stands for one $.
     */
    template: unknown;
  };
}
/**
 * Exactly one of value and jsonPath.
 */
export interface MapValue {
  /**
   * A constant.
   */
  value?: string;
  /**
   * An RFC 9535 JSONPath, rooted at the event in JSON form ($.data.id, $.type).
   */
  jsonPath?: string;
}
/**
 * Where it goes, exactly one of job and sink.
 */
export interface Target {
  job?: JobTarget;
  sink?: SinkTarget;
}
/**
 * A job on an Open Job Spec backend.
 */
export interface JobTarget {
  /**
   * An absolute http or https address; beside a ref, a path on it.
   */
  uri?: string;
  ref?: ObjectReference;
  /**
   * Sent as Authorization: Bearer.
   */
  auth?: {
    secretKeyRef: SecretKeyReference;
  };
  /**
   * Certificate authorities to trust for this target, in PEM; empty for the usual ones.
   */
  caCerts?: string;
  /**
   * Every matching event becomes a job of this type.
   */
  type?: string;
  /**
   * The job's type by the event's. Event types that it does not name go by stripPrefix.
   */
  types?: JobTypeRule[];
  /**
   * For event types that neither type nor types names: the job's type is what follows this prefix. An event without it does not match.
   */
  stripPrefix?: string;
  args?: JobArgs;
  options?: JobOptions;
  /**
   * Lets a job's own events start jobs on the same backend.
   */
  allowLoop?: boolean;
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
export interface JobTypeRule {
  /**
   * The event's type, in full.
   */
  eventType: string;
  /**
   * The job's type.
   */
  jobType: string;
  args?: JobArgs;
}
/**
 * The job's arguments, one way of making them: passThrough is the default.
 */
export interface JobArgs {
  /**
   * The event's data: an array as it is, anything else as the only argument, nothing as no argument.
   */
  passThrough?: Record<string, never>;
  /**
   * One argument per path, in their order.
   *
   * Items: An RFC 9535 JSONPath, rooted at the event in JSON form ($.data.id, $.type).
   */
  jsonPath?: string[];
  /**
   * Any JSON. A string that begins with $. or $[ is a JSONPath and yields its value; a leading $$ stands for one $.
   */
  template?: unknown;
}
/**
 * The job's options, in Open Job Spec's words.
 */
export interface JobOptions {
  /**
   * The queue it goes to.
   */
  queue?: string;
  /**
   * Higher runs earlier.
   */
  priority?: number;
  /**
   * How long it waits before it may run.
   */
  delay?: string;
  /**
   * How long one attempt may take.
   */
  timeout?: string;
  /**
   * Free labels.
   */
  tags?: string[];
  /**
   * How the backend retries the job; its words go through as they are.
   */
  retry?: {
    /**
     * How often it is tried in all.
     */
    max_attempts?: number;
    [k: string]: unknown;
  };
  /**
   * What makes two jobs the same to the backend; its words go through as they are.
   */
  unique?: {
    /**
     * Which parts of the job count.
     */
    key?: string[];
    /**
     * For how long.
     */
    period?: string;
    [k: string]: unknown;
  };
}
/**
 * A receiver of CloudEvents over HTTP.
 */
export interface SinkTarget {
  /**
   * An absolute http or https address; beside a ref, a path on it.
   */
  uri?: string;
  ref?: ObjectReference;
  /**
   * How the event travels, as headers and body or as one JSON document.
   */
  format?: 'binary' | 'structured';
  sign?: Signing;
  /**
   * Headers that each request gets, such as an API key.
   */
  headers?: SinkHeader[];
  /**
   * Certificate authorities to trust for this target, in PEM; empty for the usual ones.
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
export interface Step {
  /**
   * Its name, by which expressions find it (context.steps.<name>); start and steps are taken.
   */
  name: string;
  waitFor?: WaitFor;
  /**
   * What the step sends: the event it runs on, or the answer of the step before.
   */
  input?: 'Event' | 'Answer';
  /**
   * A CEL expression; where it is false the step is skipped. It sees event, data and context.
   */
  condition?: string;
  map?: EventMap;
  target: Target;
  delivery?: Delivery;
}
/**
 * The step sleeps until this comes, exactly one of sleep, sleepUntil, filters, all, any and job. Without it the step runs at once.
 */
export interface WaitFor {
  /**
   * For so long.
   */
  sleep?: string;
  /**
   * A CEL expression that yields a timestamp or an RFC 3339 string.
   */
  sleepUntil?: string;
  /**
   * An event that all of them match.
   */
  filters?: Filter[];
  /**
   * A CEL expression over the awaited event that yields the instance's key. Without it the event's instanceid decides.
   */
  correlate?: string;
  /**
   * Several named waits; with all, each of them, in any order; with any, the first.
   */
  all?: Wait[];
  /**
   * Several named waits; with all, each of them, in any order; with any, the first.
   */
  any?: Wait[];
  /**
   * The job of an earlier step; the wait completes with it, and fails with it.
   */
  job?: {
    /**
     * The earlier step's name.
     */
    step: string;
    /**
     * The bridge that tells of the backend's jobs, in the same namespace.
     */
    eventBridge: {
      /**
       * Its name.
       */
      name: string;
    };
  };
  /**
   * How long it waits. Left out: as long as it takes.
   */
  timeout?: string;
  /**
   * What then: Fail ends the instance, Continue runs the step with the event of the step before.
   */
  onTimeout?: 'Fail' | 'Continue';
}
export interface Wait {
  /**
   * Its name, by which expressions find it (context.steps.<name>); start and steps are taken.
   */
  name: string;
  /**
   * An event that all of them match.
   */
  filters: Filter[];
  /**
   * A CEL expression over the awaited event that yields the instance's key. Without it the event's instanceid decides.
   */
  correlate?: string;
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
   * Certificate authorities to trust for this target, in PEM; empty for the usual ones.
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
export interface EventTriggerStatus {
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
  address?: Address;
  /**
   * All its addresses; the first is the same as address.
   */
  addresses?: Address[];
  /**
   * Where its events go, refs resolved.
   */
  targetUri?: string;
  /**
   * Where events go whose delivery failed for good, refs resolved.
   */
  deadLetterSinkUri?: string;
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
 * Where to send within the cluster, while it is served (Knative's Addressable).
 */
export interface Address {
  /**
   * Tells several addresses apart.
   */
  name?: string;
  /**
   * The address.
   */
  url?: string;
  /**
   * Certificate authorities to trust for it, in PEM.
   */
  CACerts?: string;
  /**
   * The audience that a sender's token needs.
   */
  audience?: string;
}
/**
 * What passed, told at most every 30 seconds.
 */
export interface Traffic {
  /**
   * When it last took an event.
   */
  lastEvent?: string;
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
  /**
   * How many instances a value stream has, by state.
   */
  instances?: {
    /**
     * Their step is being delivered.
     */
    running?: number;
    /**
     * They sleep, for an event, a job or a time.
     */
    waiting?: number;
    /**
     * They need a hand; signalbox instances lists them.
     */
    blocked?: number;
    /**
     * They came to their end in the last 7 days.
     */
    finished?: number;
    /**
     * They waited in vain, in the last 7 days.
     */
    failed?: number;
    /**
     * They were cancelled by hand in the last 7 days.
     */
    cancelled?: number;
  };
}
