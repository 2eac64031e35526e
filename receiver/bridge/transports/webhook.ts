import type { Transport } from '../transport.ts';

/** The backend calls: nothing is to be opened. What it sends comes in by the endpoint of the spec's WebhookSecret. */
export const webhook: Transport = ({ source }, listener) => {
  queueMicrotask(() => {
    listener.reads({
      transport: `Webhook, endpoint of ${source.webhookSecret ?? 'no WebhookSecret'}`,
      replay: 'calls',
    });
  });
  return { pause: () => undefined, resume: () => undefined, close: () => undefined };
};
