import { ORIGIN_ATTRIBUTE, originOf, withOrigin } from '../deliver/loop-guard.ts';
import { viewData } from '../event/data-view.ts';
import { CloudEvent } from '../event/event.ts';
import type { BridgeEntry } from '../routing/table.ts';
import type { Reading } from './reading.ts';

/** Makes the CloudEvent that a bridge tells; `origins` is what the event's job said of where it came from. */
export type Outgoing = (reading: Reading, origins?: unknown) => CloudEvent;

/** The specification's own event types; any other is a backend's custom one. */
const FAMILIES = /^(?:job|queue|worker|workflow|cron|server|x)\./;
const STANDARD_PREFIX = 'org.openjobspec.';

/**
 * Compiles what an event leaves as (OJS CloudEvents interop, Event to CloudEvent): prefix, the one source, the backend's
 * own source as `ojssource`, the loop guard's mark, and the overrides. Custom types go below `org.openjobspec.x.`.
 */
export function compileOutgoing(entry: BridgeEntry): Outgoing {
  const { typePrefix, sourceUri, extensions } = entry;
  const origin = originOf(entry.source.backend.url);
  const alone = withOrigin(undefined, origin);
  return (reading, origins) => {
    const attributes: Record<string, string> = Object.create(null);
    attributes['specversion'] = '1.0';
    attributes['type'] = `${typePrefix}${ownType(reading.type, typePrefix)}`;
    attributes['source'] = sourceUri;
    attributes['id'] = reading.id;
    if (reading.time !== undefined) attributes['time'] = reading.time;
    if (reading.subject !== undefined) attributes['subject'] = reading.subject;
    if (reading.data !== undefined) attributes['datacontenttype'] = 'application/json';
    Object.assign(attributes, reading.extensions);
    if (reading.source !== undefined) attributes['ojssource'] = reading.source;
    attributes[ORIGIN_ATTRIBUTE] = origins === undefined ? alone : withOrigin(origins, origin);
    Object.assign(attributes, extensions);
    return new CloudEvent(attributes, reading.data, viewData);
  };
}

function ownType(type: string, prefix: string): string {
  return prefix === STANDARD_PREFIX && !FAMILIES.test(type) ? `x.${type}` : type;
}
