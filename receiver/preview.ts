import { endpointOf } from './deliver/endpoint.ts';
import { idempotencyKey } from './deliver/idempotency-key.ts';
import { RenderError, type Renderer } from './deliver/renderer.ts';
import type { CloudEvent } from './event/event.ts';
import type { TriggerExplanation } from './match/explain.ts';
import { entrancesOf } from './routing/entrances.ts';
import type { RunningTrigger, Runtime } from './routing/runtime.ts';
import type { TriggerEntry } from './routing/table.ts';
import { explainTaker } from './streams/explain-stream.ts';
import { previewStream } from './streams/preview-stream.ts';

/** The request that a trigger would send, before its signature; no secret is in it. */
export interface PreviewedRequest {
  readonly kind: 'job' | 'sink';
  /** Left out where the destination is not resolved. */
  readonly url?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Headers that the destination adds, whose values are its own. */
  readonly adds: readonly string[];
  /** The scheme that it is signed by. */
  readonly signedBy?: string;
}

/** What one trigger would make of an event. */
export interface Preview extends TriggerExplanation {
  /** Where it takes events from: `WebhookSecret/ns/name`, `EventTrigger/ns/name`, `EventBridge/ns/name`. */
  readonly entrances: readonly string[];
  readonly sends?: PreviewedRequest;
  /** Why it would wait, though it takes the event. */
  readonly waits?: string;
  /** Why it would be a dead letter at once: the event cannot become a request. */
  readonly dead?: string;
}

/**
 * What a table would make of an event: each trigger's own matcher and renderer are asked, as when it comes. `entrance`
 * narrows it to the triggers that read from there.
 */
export function previewEvent(
  runtime: Runtime,
  event: CloudEvent,
  { entrance, now }: { readonly entrance: string | undefined; readonly now: number },
): readonly Preview[] {
  const asked = entrance === undefined ? [...runtime.triggers.values()] : runtime.readers(entrance);
  return asked
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map((trigger) => previewTrigger(trigger, event, now));
}

function previewTrigger(trigger: RunningTrigger, event: CloudEvent, now: number): Preview {
  const explained = { ...explainTaker(trigger, event), entrances: entrancesOf(trigger.entry) };
  if (!explained.takes) return explained;
  const more = trigger.entry.suspend ? { ...explained, waits: 'spec.suspend is true' } : explained;
  try {
    const begun = previewStream(trigger, event, now);
    if (begun !== undefined && 'waits' in begun) return { waits: begun.waits, ...more };
    const sender = begun ?? { step: trigger.entry, renderer: trigger.shape.renderer };
    return { ...more, sends: requestOf(trigger.key, sender, event, now) };
  } catch (error) {
    if (error instanceof RenderError) return { ...more, dead: `${error.field}: ${error.message}` };
    throw error;
  }
}

interface Sender {
  readonly step: Pick<TriggerEntry, 'destination'>;
  readonly renderer: Renderer;
}

function requestOf(
  key: string,
  { step: { destination }, renderer }: Sender,
  event: CloudEvent,
  now: number,
): PreviewedRequest {
  const { path, headers, body } = renderer.render(event, {
    idempotencyKey: idempotencyKey(key, event.source, event.id),
    receivedAt: now,
  });
  const url = destination.unresolved === undefined ? endpointOf(destination)?.url(path) : undefined;
  return {
    kind: destination.kind,
    ...(url === undefined ? {} : { url }),
    headers,
    body,
    adds: destination.headers.map(({ name }) => name),
    ...(destination.sign === undefined ? {} : { signedBy: destination.sign.scheme }),
  };
}
