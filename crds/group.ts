/** The API group of every kind here. */
export const GROUP = 'signalbox.dev';

/** The one version that is served. */
export const VERSION = 'v1alpha1';

/** As manifests write it. */
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** Our kinds, and how the API server names them in its paths and `kubectl` on its command line. */
export const KINDS = {
  EventTrigger: { plural: 'eventtriggers', singular: 'eventtrigger', shortName: 'et' },
  EventBridge: { plural: 'eventbridges', singular: 'eventbridge', shortName: 'eb' },
  WebhookSecret: { plural: 'webhooksecrets', singular: 'webhooksecret', shortName: 'whs' },
} as const;

export type Kind = keyof typeof KINDS;

/** Whether a manifest's kind is one of ours; its `apiVersion` is looked at apart. */
export function isKind(kind: unknown): kind is Kind {
  return typeof kind === 'string' && Object.hasOwn(KINDS, kind);
}
