/** A request, or one event of a batch, that was refused: what the decision record keeps of it. Holds no secret. */
export interface Refusal {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `WebhookSecret/ns/name` or `EventTrigger/ns/name`; empty where the address leads to none. */
  readonly entrance: string;
  readonly status: number;
  /** Of a fixed set. */
  readonly code: string;
  /** Why, for the operator's eyes: the sender may have been told less. */
  readonly cause: string;
  /** The name of the secret that matched; left out where none did. What has one was proved, the rest anyone can send. */
  readonly key?: string;
  /** Bytes of body that were read. */
  readonly bytes: number;
  /** The id of the event, or what an unproved request says it is. */
  readonly event?: string;
}
