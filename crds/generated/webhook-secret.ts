/* Made from crds/webhooksecrets.yaml by crds/generate.ts: edit that file, then run it again. */

/**
 * How a request is signed: the sender's name where it is known, else HMAC (described by hmac), Basic, Bearer or JWT. SignedHeaders is for senders that can choose: it also signs what routes the event.
 */
export type Scheme =
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
  | 'JWT'
  | 'HMAC';

/**
 * A WebhookSecret opens an endpoint, /e/{source}, for one sender and says how each request proves that it comes from that sender.
 */
export interface WebhookSecret {
  apiVersion: 'signalbox.dev/v1alpha1';
  kind: 'WebhookSecret';
  metadata: ObjectMeta;
  spec: WebhookSecretSpec;
  status?: WebhookSecretStatus;
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
 * Who may send, and how it is proved.
 */
export interface WebhookSecretSpec {
  /**
   * Names the endpoint, POST /e/{source}, and is unique in the cluster: the first to claim it keeps it. Default: <namespace>.<name>. An explicit one has no dot, so that the two never collide.
   */
  source?: string;
  scheme: Scheme;
  /**
   * The address that the sender calls, where a proxy stands between: scheme and host, perhaps a path prefix. Needed where the URL is signed (Twilio). Default: the receiver's --public-url.
   */
  publicUrl?: string;
  hmac?: HmacRecipe;
  jwt?: JwtRecipe;
  /**
   * Any of them verifies, so that a key is replaced without an outage: add the new one, move the sender, remove the old one once the status says that it is unused.
   */
  secrets?: VerifyingSecret[];
  /**
   * Makes a Secret that spec.secrets names and that is missing. An existing one is never overwritten.
   */
  generate?: {
    /**
     * How many random bytes the key has.
     */
    bytes?: number;
  };
  event?: EventMapping;
  dedup?: Dedup;
  limits?: Limits;
}
/**
 * The signature as a recipe, for a sender that no preset knows. With scheme HMAC only.
 */
export interface HmacRecipe {
  /**
   * The header that carries the signature, in any casing.
   */
  header: string;
  /**
   * What stands before each signature and is no part of it, for example sha256=.
   */
  prefix?: string;
  /**
   * What stands between several signatures, or between the fields of the header.
   */
  separator?: string;
  /**
   * Names within the header, where it reads like t=1700000000,v1=5257a8. Without it the whole header is the signature.
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
   * Where the time of sending is, if it is no field of the signature header.
   */
  timestamp?: {
    /**
     * A request header, in any casing.
     */
    header: string;
    /**
     * How the time is written (Seconds and Milliseconds count from the Unix epoch).
     */
    unit?: 'Seconds' | 'Milliseconds' | 'RFC3339';
  };
  /**
   * Where the id is that signedContent names as {id}.
   */
  id?: {
    /**
     * A request header, in any casing.
     */
    header: string;
  };
  /**
   * The hash of the HMAC.
   */
  algorithm?: 'SHA1' | 'SHA256' | 'SHA512';
  /**
   * How the signature is written in its header.
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
  /**
   * How far a timestamp may be from now, either way (90s, PT90S).
   */
  tolerance?: string;
}
/**
 * Whose tokens count. With scheme JWT only: Authorization: Bearer carries the token.
 */
export interface JwtRecipe {
  /**
   * The token's iss, character for character.
   */
  issuer: string;
  /**
   * The token's aud must hold one of them.
   */
  audiences: string[];
  /**
   * Where the issuer publishes its keys. Fetched once, cached, and fetched again for a new key id.
   */
  jwksUri?: string;
  /**
   * The issuer's keys, kept in a Secret, for issuers that publish none.
   */
  jwks?: {
    secretKeyRef: SecretKeyReference;
  };
  /**
   * The signatures that count. none and HS* never do.
   */
  algorithms?: (
    'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'
  )[];
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
export interface VerifyingSecret {
  /**
   * How status and decision records call it. Never sent anywhere.
   */
  name: string;
  secretKeyRef: SecretKeyReference;
  /**
   * From then on the key no longer verifies (RFC 3339).
   */
  notAfter?: string;
}
/**
 * How a payload that is no CloudEvent becomes one, field by field; what is left out is the preset's. A request that is a CloudEvent already stays as it is.
 */
export interface EventMapping {
  type?: ValueSource;
  id?: IdSource;
  source?: ValueSource;
  subject?: ValueSource;
  time?: ValueSource;
  /**
   * Extension attributes that the event gets.
   */
  extensions?: {
    /**
     * The extension's name, lower-case letters and digits.
     */
    name: string;
    /**
     * A request header, in any casing.
     */
    header?: string;
    /**
     * An RFC 9535 JSONPath, rooted at the payload.
     */
    jsonPath?: string;
    /**
     * A constant.
     */
    value?: string;
    /**
     * Put before what header or jsonPath yields.
     */
    prefix?: string;
  }[];
  /**
   * Whether ce-* headers make a request a CloudEvent. Default: Ignore where the sender signs no headers and is known to send none (GitHub, GitLab, Shopify, EmporixCommerce, Twilio), else Accept.
   */
  binary?: 'Accept' | 'Ignore';
}
/**
 * Exactly one of header, jsonPath and value, with an optional prefix.
 */
export interface ValueSource {
  /**
   * A request header, in any casing.
   */
  header?: string;
  /**
   * An RFC 9535 JSONPath, rooted at the payload.
   */
  jsonPath?: string;
  /**
   * A constant.
   */
  value?: string;
  /**
   * Put before what header or jsonPath yields.
   */
  prefix?: string;
}
/**
 * The sender's own id, so that what it sends again is known as a duplicate: header, jsonPath or value, else contentHash or unique.
 */
export interface IdSource {
  /**
   * A request header, in any casing.
   */
  header?: string;
  /**
   * An RFC 9535 JSONPath, rooted at the payload.
   */
  jsonPath?: string;
  /**
   * A constant.
   */
  value?: string;
  /**
   * Put before what header or jsonPath yields.
   */
  prefix?: string;
  /**
   * The hash of the signed content is the id: the same bytes count once.
   */
  contentHash?: true;
  /**
   * Each request is a new event.
   */
  unique?: true;
}
/**
 * The same source and id is accepted once within the window; a repeat gets the first answer.
 */
export interface Dedup {
  /**
   * Whether repeats are recognised.
   */
  enabled?: boolean;
  /**
   * How long an id is remembered (72h, PT72H).
   */
  window?: string;
}
/**
 * What one sender may take.
 */
export interface Limits {
  /**
   * The largest body, in bytes or as 512Ki, 1Mi, 1M. A larger one gets 413.
   */
  bodyBytes?: number | string;
  /**
   * How many requests are taken in a while; more get 429 with Retry-After. Left out, there is no such limit.
   */
  rate?: {
    /**
     * How many.
     */
    requests: number;
    /**
     * In how long a while.
     */
    per?: string;
  };
}
/**
 * What the operator found, and what the receivers tell.
 */
export interface WebhookSecretStatus {
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
   * The endpoint's name, as it is in force.
   */
  source?: string;
  /**
   * Where the sender sends to.
   */
  url?: string;
  /**
   * One entry per secret, to see which of them is still in use.
   */
  keys?: KeyStatus[];
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
export interface KeyStatus {
  /**
   * The secret's name in spec.secrets.
   */
  name: string;
  /**
   * When a request last proved itself by it; left out where none has.
   */
  lastUsed?: string;
}
/**
 * What passed, told at most every 30 seconds.
 */
export interface Traffic {
  /**
   * When the last event was accepted.
   */
  lastEvent?: string;
  /**
   * Events accepted.
   */
  accepted?: number;
  /**
   * Requests that did not prove themselves.
   */
  rejected?: number;
}
