import type { World } from '../gather/world.ts';
import type { TrafficStatus } from './totals.ts';

/** What the watch shows of `Kind/namespace/name`; undefined where it is gone. */
export function trafficShown(
  {
    webhookSecrets,
    eventTriggers,
    eventBridges,
  }: Pick<World, 'webhookSecrets' | 'eventTriggers' | 'eventBridges'>,
  resource: string,
): { readonly uid: string; readonly traffic?: TrafficStatus } | undefined {
  const [kind, namespace = '', name = ''] = resource.split('/');
  const kinds = { WebhookSecret: webhookSecrets, EventTrigger: eventTriggers, EventBridge: eventBridges };
  const found = kinds[kind as keyof typeof kinds]?.get(`${namespace}/${name}`);
  if (found === undefined) return undefined;
  const traffic = found.status?.traffic;
  return { uid: found.metadata.uid ?? '', ...(traffic === undefined ? {} : { traffic }) };
}
