import { isUtf8 } from 'node:buffer';
import { viewData } from '../event/data-view.ts';
import { type Attributes, CloudEvent } from '../event/event.ts';

/** An event as an instance keeps it, in JSON; its bytes come out as they went in. */
export interface Kept {
  readonly entrance: string;
  readonly attributes: Attributes;
  /** The data, where it is UTF-8. */
  readonly text?: string;
  /** The data, where it is not. */
  readonly base64?: string;
}

/** How an event came to an instance, which decides which of its waits the event may meet. */
export type By =
  /** It carried the instance's id. */
  | 'id'
  /** The trigger's own filters and `correlate` named the instance's key. */
  | 'rule'
  /** A wait's filters and `correlate` named it. */
  | 'key'
  /** It tells of a job of the instance's. */
  | 'job';

/** An event that came to an instance, or to its key before there was one. */
export interface Arrived {
  readonly at: number;
  readonly by: By;
  readonly event: Kept;
}

/** Keeps an event. */
export function keep(event: CloudEvent, entrance: string): Kept {
  const { attributes, body } = event;
  if (body === undefined) return { entrance, attributes };
  return isUtf8(body)
    ? { entrance, attributes, text: body.toString('utf8') }
    : { entrance, attributes, base64: body.toString('base64') };
}

/** The event again; `context` is what a step's expressions see beside it. */
export function revive({ attributes, text, base64 }: Kept, context?: unknown): CloudEvent {
  const own = Object.assign(Object.create(null) as Record<string, string>, attributes);
  return new CloudEvent(own, bodyOf(text, base64), viewData, context);
}

/** Roughly what it takes, in bytes. */
export function sizeOf({ attributes, text, base64 }: Kept): number {
  let size = text === undefined ? (base64?.length ?? 0) : Buffer.byteLength(text);
  for (const name in attributes) size += name.length + (attributes[name]?.length ?? 0);
  return size;
}

function bodyOf(text: string | undefined, base64: string | undefined): Buffer | undefined {
  if (text !== undefined) return Buffer.from(text);
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64');
}
