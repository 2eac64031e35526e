import type { IncomingHttpHeaders } from 'node:http';
import { nearest } from '../../crds/nearest.ts';
import { RequestError } from '../../receiver/errors.ts';
import { CloudEvent } from '../../receiver/event/event.ts';
import { type Parsed, parseCloudEvents } from '../../receiver/event/parse.ts';
import { STRICT } from '../../receiver/event/validate.ts';
import { entrancesOf } from '../../receiver/routing/entrances.ts';
import { entryKey } from '../../receiver/routing/table.ts';
import { UsageError } from '../exit-codes.ts';
import type { PlannedTable } from './planned-table.ts';

/** A request as a sender would make it, but for its signature. */
export interface EventInput {
  /** `WebhookSecret/ns/name` and so on; undefined: none in particular. */
  readonly entrance: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What a request brings at an entrance. */
export interface EventsRead {
  readonly entrance: string | undefined;
  readonly events: readonly CloudEvent[];
  /** Why it is refused, in whole or in part. */
  readonly refusals: readonly RequestError[];
}

const EVENT_TYPE = 'application/cloudevents+json';
const BATCH_TYPE = 'application/cloudevents-batch+json';
/** What has no id of its own gets this one, so that the same input always gives the same output. */
const MADE_ID = '00000000-0000-4000-8000-000000000000';

/**
 * Reads events as the receiver reads them at that entrance: CloudEvents in any mode, or the provider's own payload. Where
 * no entrance is named, a payload goes to the one WebhookSecret that there is. Throws UsageError.
 */
export function readEvents({ entries, runtime }: PlannedTable, input: EventInput, now: number): EventsRead {
  const { body } = input;
  const headers: IncomingHttpHeaders = { 'content-type': guessedType(input), ...input.headers };
  const endpoints = entries.filter((entry) => entry.kind === 'WebhookSecret');
  const isEvent = /cloudevents/.test(headers['content-type'] ?? '') || headers['ce-id'] !== undefined;
  const entrance = input.entrance ?? (isEvent ? undefined : onlyOne(endpoints.map(entryKey)));
  if (entrance !== undefined) checkKnown(entrance, entries.flatMap(entrancesAt));
  const source = endpoints.find((entry) => entryKey(entry) === entrance)?.source;
  const endpoint = source === undefined ? undefined : runtime.endpoint(source);
  const read = (): readonly Parsed[] =>
    endpoint === undefined
      ? parseCloudEvents(headers, body, STRICT)
      : endpoint.read({ method: 'POST', url: `/e/${source ?? ''}`, headers, body }, now, () => MADE_ID);
  try {
    const parsed = read();
    const refusals = parsed.filter((each) => each instanceof RequestError);
    return { entrance, events: parsed.filter((each) => each instanceof CloudEvent), refusals };
  } catch (error) {
    if (error instanceof RequestError) return { entrance, events: [], refusals: [error] };
    throw error;
  }
}

/** A JSON object with `specversion` is an event, a list of them a batch, anything else a payload. */
function guessedType({ body }: EventInput): string {
  const text = body.toString().trimStart();
  if (!text.startsWith('{') && !text.startsWith('[')) return 'application/octet-stream';
  try {
    const json: unknown = JSON.parse(text);
    const isEvent = (value: unknown): boolean =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, 'specversion');
    if (Array.isArray(json)) return json.length > 0 && json.every(isEvent) ? BATCH_TYPE : 'application/json';
    return isEvent(json) ? EVENT_TYPE : 'application/json';
  } catch {
    return 'application/json';
  }
}

function onlyOne(entrances: readonly string[]): string {
  const [only] = entrances;
  if (only !== undefined && entrances.length === 1) return only;
  throw new UsageError(
    entrances.length === 0
      ? 'This is no CloudEvent, and no WebhookSecret is there to make one of it.'
      : `This is no CloudEvent; say where it comes in with --entrance: ${entrances.join(', ')}.`,
  );
}

function entrancesAt(entry: PlannedTable['entries'][number]): readonly string[] {
  return entry.kind === 'EventTrigger' ? entrancesOf(entry) : [entryKey(entry)];
}

function checkKnown(entrance: string, known: readonly string[]): void {
  const all = [...new Set(known)].toSorted();
  if (all.includes(entrance)) return;
  const meant = nearest(entrance, all);
  throw new UsageError(
    `There is no entrance ${entrance}${meant === undefined ? '' : `; did you mean ${meant}`}; there is ${all.join(', ')}.`,
  );
}
