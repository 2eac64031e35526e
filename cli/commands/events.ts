import { listCommand, type OtherView, shownTime } from '../admin/list.ts';

interface EventItem {
  readonly event: number;
  readonly receivedAt: number;
  readonly entrance: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly record: { readonly key?: string; readonly triggers?: readonly string[] };
}

interface RejectedItem {
  readonly at: number;
  readonly entrance: string;
  readonly status: number;
  readonly code: string;
  readonly cause: string;
  readonly key?: string;
  readonly bytes: number;
  readonly event?: string;
}

const rejected: OtherView<RejectedItem> = {
  flag: {
    name: 'rejected',
    help: 'What was refused instead, and why: wrong signatures, what is no event, what came too fast.',
  },
  path: '/api/rejected',
  filters: ['entrance', 'code', 'id', 'since', 'until'],
  example: 'signalbox events --rejected --entrance WebhookSecret/shop/stripe',
  header: ['REFUSED', 'ENTRANCE', 'STATUS', 'KEY', 'ID', 'BYTES', 'WHY'],
  row: ({ at, entrance, status, key, event, bytes, cause }) => [
    shownTime(at),
    entrance || 'none',
    String(status),
    key ?? 'none',
    event ?? '',
    String(bytes),
    cause,
  ],
  none: 'No such refusals.',
};

/** `signalbox events` */
export const events = listCommand<EventItem, RejectedItem>(
  {
    name: 'events',
    about:
      'Lists the events that a running receiver accepted, newest first: what came, by which entrance, and who took it.',
    path: '/api/events',
    filters: ['source', 'id', 'type', 'trigger', 'state', 'since', 'until'],
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
  },
  rejected,
);
