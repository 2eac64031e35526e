import { viewData } from './data-view.ts';
import { CloudEvent } from './event.ts';

/** A valid CloudEvent with those attributes over `specversion`, `id`, `source` and `type`, for tests and benchmarks. */
export function eventOf(
  attributes: Readonly<Record<string, string>> = {},
  body?: string | Buffer,
): CloudEvent {
  const all = Object.create(null) as Record<string, string>;
  Object.assign(
    all,
    { specversion: '1.0', id: 'id-1', source: '/source', type: 'com.example.created' },
    attributes,
  );
  return new CloudEvent(all, body === undefined ? undefined : Buffer.from(body), viewData);
}
