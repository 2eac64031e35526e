import { expect, it } from 'vitest';
import { endpointEntry } from '../routing/testing.ts';
import { createKeyUse } from './key-use.ts';

it('remembers the last use of each key for as long as its endpoint is there', () => {
  const use = createKeyUse();
  use.note('WebhookSecret/shop/hooks', 'current', 5);
  use.note('WebhookSecret/shop/hooks', 'current', 7);
  use.note('WebhookSecret/shop/gone', 'old', 6);
  use.tableChanged([
    { key: 'WebhookSecret/shop/hooks', after: endpointEntry({ generation: 2 }) },
    { key: 'WebhookSecret/shop/gone', after: undefined },
  ]);
  expect(use.list()).toEqual([{ entrance: 'WebhookSecret/shop/hooks', key: 'current', lastUsed: 7 }]);
});
