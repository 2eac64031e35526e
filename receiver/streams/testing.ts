import type { Finding } from '../errors.ts';
import { viewData } from '../event/data-view.ts';
import { CloudEvent } from '../event/event.ts';
import type { StepShape, StreamShape } from '../routing/table.ts';
import { type Arrived, type By, keep } from './kept.ts';
import { compileStream, type Stream } from './stream.ts';

/* What the tests of value streams have in common. */

export const ENTRANCE = 'WebhookSecret/shop/hooks';

/** An event with JSON data. */
export function eventOf(attributes: Readonly<Record<string, string>>, data?: unknown): CloudEvent {
  const own = Object.assign(Object.create(null) as Record<string, string>, {
    specversion: '1.0',
    id: '1',
    source: '/test',
    type: 'a',
    ...(data === undefined ? {} : { datacontenttype: 'application/json' }),
    ...attributes,
  });
  return new CloudEvent(own, data === undefined ? undefined : Buffer.from(JSON.stringify(data)), viewData);
}

/** It, as it came to an instance. */
export function arrivedOf(
  event: CloudEvent,
  at: number,
  by: By = 'id',
  entrance: string = ENTRANCE,
): Arrived {
  return { at, by, event: keep(event, entrance) };
}

/** A step to a sink. */
export function stepOf(name: string, more: Partial<StepShape> = {}): StepShape {
  return { name, shape: { sink: { format: 'binary' } }, ...more };
}

const DAY = 86_400_000;

/** What a stream is where a test says nothing else. */
export function streamOf(steps: readonly StepShape[], more: Partial<StreamShape> = {}): StreamShape {
  return {
    onStart: 'Always',
    keyRetentionMs: DAY,
    inbox: { events: 100, bytes: 1 << 20, retentionMs: DAY },
    ...more,
    steps,
  };
}

/** Compiles it; throws what is wrong with it. */
export function compiledStream(shape: StreamShape): Stream {
  const result = compileStream(shape, 'shop');
  if (!result.ok) throw new Error(JSON.stringify(result.findings satisfies readonly Finding[]));
  return result.value;
}
