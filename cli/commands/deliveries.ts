import { type DeliveryItem, outcomeOf } from '../admin/delivery-item.ts';
import { listCommand, shownTime } from '../admin/list.ts';

/** `signalbox deliveries` */
export const deliveries = listCommand<DeliveryItem>({
  name: 'deliveries',
  about:
    'Lists what a running receiver sends on, newest first: each delivery, its state and what its last attempt came to.',
  path: '/api/deliveries',
  filters: ['source', 'id', 'type', 'trigger', 'state', 'since', 'until'],
  example: 'signalbox deliveries --trigger shop/fulfil-payment --state waiting',
  header: ['DELIVERY', 'ACCEPTED', 'TRIGGER', 'TYPE', 'ID', 'STATE', 'ATTEMPTS', 'LAST'],
  row: (item) => [
    String(item.id),
    shownTime(item.receivedAt),
    item.trigger,
    item.attributes['type'] ?? '',
    item.attributes['id'] ?? '',
    item.state,
    String(item.attempts.length),
    outcomeOf(item),
  ],
  none: 'No such deliveries.',
});
