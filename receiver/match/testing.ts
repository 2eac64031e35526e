import { viewData } from '../event/data-view.ts';
import { CloudEvent } from '../event/event.ts';
import type { Filter, Shape, TriggerEntry } from '../routing/table.ts';
import { type AnchoredMatcher, compileMatcher } from './compile-matcher.ts';

/** An event for tests: attributes over usual ones, `data` as JSON. */
export function testEvent(attributes: Readonly<Record<string, string>>, data?: unknown): CloudEvent {
  const all = Object.assign(Object.create(null) as Record<string, string>, {
    specversion: '1.0',
    id: '1',
    source: '/s',
    type: 't',
    datacontenttype: 'application/json',
    ...attributes,
  });
  return new CloudEvent(all, data === undefined ? undefined : Buffer.from(JSON.stringify(data)), viewData);
}

type Asked = Pick<TriggerEntry, 'filters' | 'condition' | 'shape'>;

const TO_SINK: Shape = { sink: { format: 'binary' } };

/** A matcher of filters alone, or of a whole entry; throws where it does not compile. */
export function matcherOf(asked: readonly Filter[] | Partial<Asked>): AnchoredMatcher {
  const entry = Array.isArray(asked) ? { filters: asked as readonly Filter[] } : (asked as Partial<Asked>);
  const result = compileMatcher({ filters: [], shape: TO_SINK, ...entry });
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return result.value;
}
