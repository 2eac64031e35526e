import { type DeliveryItem, outcomeOf } from '../admin/delivery-item.ts';
import { listCommand, shownTime } from '../admin/list.ts';

/** `signalbox dead-letters` */
export const deadLetters = listCommand<DeliveryItem>({
  name: 'dead-letters',
  about: 'Lists the deliveries that a running receiver has given up, newest first, and why.',
  path: '/api/dead-letters',
  filters: ['source', 'id', 'type', 'trigger', 'since', 'until'],
  example: 'signalbox dead-letters --trigger shop/fulfil-payment --since 2026-01-31T00:00:00Z',
  header: ['DELIVERY', 'ACCEPTED', 'TRIGGER', 'TYPE', 'ID', 'ATTEMPTS', 'WHY'],
  row: (item) => [
    String(item.id),
    shownTime(item.receivedAt),
    item.trigger,
    item.attributes['type'] ?? '',
    item.attributes['id'] ?? '',
    String(item.attempts.length),
    outcomeOf(item),
  ],
  none: 'No dead letters.',
});
