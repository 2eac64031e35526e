import { listCommand, shownTime } from '../admin/list.ts';

interface EventItem {
  readonly event: number;
  readonly receivedAt: number;
  readonly entrance: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly record: { readonly key?: string; readonly triggers?: readonly string[] };
}

/** `signalbox events` */
export const events = listCommand<EventItem>({
  name: 'events',
  about:
    'Lists the events that a running receiver accepted, newest first: what came, by which entrance, and who took it.',
  path: '/api/events',
  filters: ['source', 'id', 'type', 'trigger', 'since', 'until'],
  example: 'signalbox events --type order.paid -o json | jq .items[].attributes.id',
  header: ['EVENT', 'ACCEPTED', 'TYPE', 'ID', 'ENTRANCE', 'TAKEN BY'],
  row: ({ event, receivedAt, entrance, attributes, record }) => [
    String(event),
    shownTime(receivedAt),
    attributes['type'] ?? '',
    attributes['id'] ?? '',
    entrance,
    (record.triggers ?? []).join(', ') || 'none',
  ],
  none: 'No such events.',
});
