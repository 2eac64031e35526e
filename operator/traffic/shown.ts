import type { World } from '../gather/world.ts';
import type { TrafficStatus } from './totals.ts';

/** A resource as the watch shows it. */
export interface Shown {
  readonly uid: string;
  /** What its status says of its traffic; costs more than the uid. */
  traffic(): TrafficStatus | undefined;
}

/** What the watch shows of `Kind/namespace/name`; undefined where it is gone. */
export function trafficShown(
  {
    webhookSecrets,
    eventTriggers,
    eventBridges,
  }: Pick<World, 'webhookSecrets' | 'eventTriggers' | 'eventBridges'>,
  resource: string,
): Shown | undefined {
  const [kind, namespace = '', name = ''] = resource.split('/');
  const kinds = { WebhookSecret: webhookSecrets, EventTrigger: eventTriggers, EventBridge: eventBridges };
  const found = kinds[kind as keyof typeof kinds]?.get(`${namespace}/${name}`);
  if (found === undefined) return undefined;
  return { uid: found.uid, traffic: () => found.read().status?.traffic };
}
