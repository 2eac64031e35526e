import type { CloudEvent } from '../event/event.ts';

/** What rendering needs beside the event. */
export interface RenderContext {
  /** Deterministic over trigger, source, id and step. */
  readonly idempotencyKey: string;
  /** When the event was accepted, in milliseconds since the epoch: the same at each attempt. */
  readonly receivedAt: number;
}

/** An HTTP request's content, ready to leave; the destination adds the address and its own headers. */
export interface Rendered {
  /** Added to the destination's URL path: `` or `/ojs/v1/jobs`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A pinned Shape, compiled: makes the request that an event becomes. Throws RenderError. */
export interface Renderer {
  render(event: CloudEvent, context: RenderContext): Rendered;
}

/** The event cannot become a request, now or later: a dead letter that names the field and the remedy. */
export class RenderError extends Error {
  readonly field: string;

  constructor(field: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RenderError';
    this.field = field;
  }
}
