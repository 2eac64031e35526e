import { type Compiled, compiled } from '../../errors.ts';
import { type EncodedEvent, encodeBinary, encodeStructured } from '../../event/encode.ts';
import { CloudEvent } from '../../event/event.ts';
import type { Shape } from '../../routing/table.ts';
import { RenderError } from '../renderer.ts';
import type { EventMapper } from './map.ts';
import type { TargetRenderer } from './target-renderer.ts';

/** How many receivers of this kind may forward an event before it is taken for a loop. */
export const MAX_HOPS = 16;

const FORMATS: Readonly<Record<'binary' | 'structured', (event: CloudEvent, hops: string) => EncodedEvent>> =
  {
    binary: (event, hops) => {
      const encoded = encodeBinary(event);
      encoded.headers['ce-signalboxhops'] = hops;
      return encoded;
    },
    structured: (event, hops) => encodeStructured(withHops(event, hops)),
  };

/** Makes the CloudEvents request (HTTP binding 3) of an event, with its hop counted in the extension `signalboxhops`. */
export function compileSink(shape: Shape, path: string, map: EventMapper): Compiled<TargetRenderer> {
  const encode = FORMATS[shape.sink?.format ?? 'binary'];
  const field = `${path}.target.sink`;
  return compiled((original, context) => {
    const event = map(original);
    const hops = hopsOf(event) + 1;
    if (hops > MAX_HOPS) throw new RenderError(field, LOOP);
    const { headers, body } = encode(event, String(hops));
    headers['idempotency-key'] = context.idempotencyKey;
    return { path: '', headers, body };
  });
}

const LOOP = `the event was forwarded ${MAX_HOPS} times already, which looks like a loop; break it with a filter`;

function withHops(event: CloudEvent, hops: string): CloudEvent {
  const attributes: Record<string, string> = Object.create(null);
  Object.assign(attributes, event.attributes);
  attributes['signalboxhops'] = hops;
  return new CloudEvent(attributes, event.body, () => event.data);
}

/** A count that is no number was not written by a receiver of this kind. */
function hopsOf(event: CloudEvent): number {
  const hops = Number(event.attributes['signalboxhops'] ?? 0);
  return Number.isSafeInteger(hops) && hops > 0 ? hops : 0;
}
