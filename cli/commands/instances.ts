import type { InstanceItem } from '../../receiver/http/instances.ts';
import { tellSince } from '../admin/instance.ts';
import { listCommand, shownTime } from '../admin/list.ts';

/** `signalbox instances` */
export const instances = listCommand<InstanceItem>({
  name: 'instances',
  about: [
    'Lists the instances of value streams that a running receiver knows, newest first: how each stands, what it waits',
    'for, since when, and until when. One that is over stays listed for 7 days.',
  ].join('\n'),
  path: '/api/instances',
  filters: ['stream', 'instanceState'],
  example: 'signalbox instances --trigger shop/order-fulfilment --state Waiting',
  header: ['INSTANCE', 'TRIGGER', 'KEY', 'STATE', 'STEP', 'WAITS FOR', 'SINCE', 'UNTIL'],
  row: (item) => [
    item.id,
    item.trigger,
    item.key ?? '',
    item.status,
    item.step ?? '',
    item.waitsFor ?? item.blocked?.reason ?? '',
    tellSince(item),
    item.until === undefined ? '' : shownTime(item.until),
  ],
  none: 'No such instances.',
});
