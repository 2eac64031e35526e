import { expect, it } from 'vitest';
import type { Entry } from '../routing/table.ts';
import { endpointEntry, triggerEntry } from '../routing/testing.ts';
import { createTraffic } from './traffic.ts';

const BRIDGE = { kind: 'EventBridge', namespace: 'jobs', name: 'results', uid: 'b', generation: 1 } as Entry;
const came = (after: Entry) => ({ before: undefined, after });

it('tells of each kind what its status has', () => {
  const traffic = createTraffic({ of: (trigger) => (trigger === 'EventBridge/jobs/results' ? 4 : 0) });
  traffic.tableChanged([endpointEntry(), triggerEntry(), BRIDGE].map(came));
  traffic.accepted('WebhookSecret/shop/hooks', ['shop/forward'], 5);
  traffic.rejected('WebhookSecret/shop/hooks');
  traffic.accepted('EventBridge/jobs/results', ['EventBridge/jobs/results'], 6);
  traffic.ended('EventBridge/jobs/results', 'delivered');
  traffic.ended('shop/forward', 'dead');
  traffic.ended('shop/unknown', 'dead');
  expect(traffic.list()).toEqual([
    { resource: 'WebhookSecret/shop/hooks', uid: 'uid-hooks', lastEvent: 5, accepted: 1, rejected: 1 },
    {
      resource: 'EventTrigger/shop/forward',
      uid: 'uid-forward',
      lastEvent: 5,
      delivered: 0,
      failed: 1,
      backlog: 0,
    },
    {
      resource: 'EventBridge/jobs/results',
      uid: 'b',
      lastEvent: 6,
      read: 1,
      delivered: 1,
      failed: 0,
      backlog: 4,
    },
  ]);
});

it('keeps what stays, and begins anew with what is another of the same name', () => {
  const traffic = createTraffic({ of: () => 0 });
  traffic.tableChanged([endpointEntry(), triggerEntry()].map(came));
  traffic.accepted('WebhookSecret/shop/hooks', [], 5);
  traffic.ended('shop/forward', 'delivered');
  traffic.tableChanged([
    { before: endpointEntry(), after: endpointEntry({ generation: 2 }) },
    { before: triggerEntry(), after: triggerEntry({ uid: 'another' }) },
  ]);
  expect(traffic.list()).toMatchObject([{ resource: 'WebhookSecret/shop/hooks', accepted: 1 }]);
});

it('forgets what is gone', () => {
  const traffic = createTraffic({ of: () => 0 });
  traffic.tableChanged([came(triggerEntry())]);
  traffic.ended('shop/forward', 'delivered');
  traffic.tableChanged([{ before: triggerEntry(), after: undefined }]);
  expect(traffic.list()).toEqual([]);
});

it('names the journal that instances and backlog are counted in, where receivers share it', () => {
  const counts = new Map([['shop/forward', { waiting: 2 }]]);
  const told = (journal: string | undefined) => {
    const traffic = createTraffic({ of: () => 0 }, journal);
    traffic.tableChanged([came(triggerEntry()), came(triggerEntry({ name: 'plain' }))]);
    traffic.ended('shop/plain', 'delivered');
    return traffic.list(counts);
  };
  expect(told('j')).toMatchObject([
    { instances: { waiting: 2 }, journal: 'j' },
    { delivered: 1, journal: 'j' },
  ]);
  expect(told(undefined)[0]).not.toHaveProperty('journal');
});
