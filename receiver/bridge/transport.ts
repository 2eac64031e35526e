import type { OutboundClient, SetTimer } from '../deliver/outbound.ts';
import type { OjsSource } from '../routing/table.ts';

/** What a transport works with. */
export interface TransportParts {
  readonly source: OjsSource;
  readonly client: Pick<OutboundClient, 'read' | 'stream'>;
  readonly setTimer: SetTimer;
  /** Unguessable. */
  readonly randomBytes: (bytes: number) => Buffer;
  /** Where reading goes on, for who can be told: the last place that was handed over, or is in the journal. */
  readonly cursor: string | undefined;
}

/** How a connection reads. */
export interface Reads {
  /** For people: `SSE, stream`. */
  readonly transport: string;
  /**
   * What becomes of what the backend tells while nobody listens: it is read later (`cursor`), the backend tells it again
   * (`calls`), or nothing (`none`).
   */
  readonly replay: 'cursor' | 'calls' | 'none';
}

/** Why a connection reads no more. */
export interface Ended {
  /** One sentence without a full stop. */
  readonly cause: string;
  /** The backend has no such thing; waiting does not bring it. */
  readonly missing: boolean;
}

/** Who uses a transport. */
export interface TransportListener {
  /** It reads from now on. Called again after each gap that the transport itself has closed. */
  reads(how: Reads): void;
  /** One message of the backend's, as it came. */
  message(json: Buffer): void;
  /** All messages up to `cursor` were handed over; `safe` is called once they are durable. */
  page(cursor: string | undefined, safe: () => void): void;
  /** Something came that cannot be read: counted and passed over. */
  broken(cause: string): void;
  /** Called once, unless it was closed from here. */
  ended(end: Ended): void;
}

/** A transport at work. */
export interface Connection {
  /** Takes nothing more from the backend until `resume`. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** One way of reading the events of a backend. Never throws. */
export type Transport = (parts: TransportParts, listener: TransportListener) => Connection;

/** How long a backend has to begin its answer. */
export const OPEN_MS = 10_000;
/** What is kept of one message of a backend's. */
export const MESSAGE_BYTES = 4 << 20;

/** The statuses that say that there is no such endpoint. */
const MISSING = new Set([404, 405, 406, 426, 501]);

/** Why an answer of that status is no stream of events. */
export function endedBy(status: number, path: string): Ended {
  const cause = `${path} answered ${status}`;
  if (status === 401 || status === 403) {
    return { cause: `${cause}: set spec.source.ojs.auth to a token that may read events`, missing: false };
  }
  return { cause, missing: MISSING.has(status) };
}
