import { viewPayload } from '../event/data-view.ts';
import type { CloudEvent } from '../event/event.ts';

/** The event in JSON form (CloudEvents JSON format 3), as JSONPath sees it: `$.type`, `$.data.amount`. */
export type EventJson = Readonly<Record<string, unknown>>;

/** Digits enough for an integer that a double may not hold. */
const LONG_NUMBER = /\d{16}/;

/**
 * The root that JSONPath starts from. `data` is as expressions see it (null where it is no JSON), made only when a path
 * asks for it and absent where the event carries none; integers past 2^53 are texts in it, so that an id never becomes
 * another one on its way. In a step there is `context`, too, which hides an extension of that name.
 */
export function eventJson(event: CloudEvent): EventJson {
  const root: Record<string, unknown> = Object.create(null);
  for (const name in event.attributes) root[name] = event.attributes[name];
  const { body, context } = event;
  if (context !== undefined) root['context'] = context;
  if (body === undefined) return root;
  let data: unknown;
  let known = false;
  Object.defineProperty(root, 'data', {
    enumerable: true,
    get() {
      if (!known) {
        data = exactData(event, body);
        known = true;
      }
      return data;
    },
  });
  return root;
}

function exactData(event: CloudEvent, body: Buffer): unknown {
  if (!LONG_NUMBER.test(body.toString('latin1'))) return event.data;
  return viewPayload(event.attributes['datacontenttype'], body);
}
