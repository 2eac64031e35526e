import { expect, it } from 'vitest';
import { eventTrigger } from '../plan/testing.ts';
import { needsOfEventTrigger } from './needs.ts';

const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', name });
const key = (name: string) => ({ secretKeyRef: { name, key: 'k' } });

it('a value stream needs what its steps name: their Secrets, their refs, the bridges that they wait for', () => {
  const { target: _, ...spec } = eventTrigger().spec;
  const { secrets, refs, things } = needsOfEventTrigger({
    ...eventTrigger(),
    spec: {
      ...spec,
      delivery: { deadLetterSink: { ref: service('dead') } },
      steps: [
        { name: 'a', target: { job: { ref: service('jobs'), type: 'a.b', auth: key('token') } } },
        {
          name: 'b',
          waitFor: { job: { step: 'a', eventBridge: { name: 'results' } } },
          target: {
            sink: {
              ref: service('orders'),
              headers: [{ name: 'X-Key', ...key('header') }],
              sign: { scheme: 'StandardWebhooks', secrets: [{ name: 'k', ...key('sign') }] },
            },
          },
          delivery: { deadLetterSink: { ref: service('steps-dead') } },
        },
      ],
    },
  });
  expect(secrets).toEqual(['token', 'header', 'sign']);
  expect(refs.map(({ name }) => name)).toEqual(['jobs', 'orders', 'dead', 'steps-dead']);
  expect(things).toEqual([
    'Secret/shop/token',
    'Secret/shop/header',
    'Secret/shop/sign',
    'Ref/v1/Service/shop/jobs',
    'Ref/v1/Service/shop/orders',
    'Ref/v1/Service/shop/dead',
    'Ref/v1/Service/shop/steps-dead',
    'WebhookSecret/shop/hooks',
    'EventBridge/shop/results',
  ]);
});
