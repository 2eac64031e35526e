import { describe, expect, it } from 'vitest';
import { checkUnits } from './check-units.ts';
import type { RowWrite, Unit } from './journal.ts';
import { unit } from './journal-testing.ts';

const bare: Unit = { deliveries: [], answer: '' };
const row = (id: string, body = ''): RowWrite => ({
  kind: 'k',
  id,
  expect: 0,
  at: 1,
  owner: 'a/x',
  status: 's',
  body,
});
const [delivery] = unit({ at: 1, triggers: ['a/x'] }).deliveries;
const { unseen } = unit({ at: 1, key: 'k' });

describe('units that no engine could keep', () => {
  it.each<[string, Unit, RegExp]>([
    [
      'deliveries of no event',
      { ...bare, deliveries: delivery === undefined ? [] : [delivery] },
      /^units\[1\]: has no event/,
    ],
    [
      'a key of no event',
      { ...bare, ...(unseen === undefined ? {} : { unseen }) },
      /^units\[1\]: has no event/,
    ],
    [
      'a line that is held',
      unit({ at: 1, triggers: ['a/x'], held: true, line: 'l' }),
      /units\[1\]\.deliveries\[0\]/,
    ],
    [
      'one parked and held',
      unit({ at: 1, triggers: ['a/x'], held: true, parked: 'p' }),
      /units\[1\]\.deliveries\[0\]/,
    ],
    ['an empty id', { ...bare, rows: [row('')] }, /units\[1\]\.rows\[0\]\.id: has 0 bytes; 1 to 512/],
    ['an id too long', { ...bare, rows: [row('a'), row('é'.repeat(257))] }, /rows\[1\]\.id: has 514 bytes/],
    [
      'a body too large',
      { ...bare, rows: [row('a', 'x'.repeat((4 << 20) + 1))] },
      /rows\[0\]\.body: has 4194305 bytes/,
    ],
    [
      'a row named twice',
      { ...bare, rows: [row('a'), { kind: 'k', id: 'a', expect: 1, check: true }] },
      /rows\[1\]: .* twice/,
    ],
  ])('%s', (_, wrong, message) => {
    expect(() => checkUnits([unit({ at: 1 }), wrong])).toThrow(RangeError);
    expect(() => checkUnits([unit({ at: 1 }), wrong])).toThrow(message);
  });

  it('takes the largest', () => {
    checkUnits([
      {
        ...bare,
        rows: [row('é'.repeat(256), 'x'.repeat(4 << 20)), { ...row('é'.repeat(256)), kind: 'other' }],
      },
      unit({ at: 1, triggers: ['a/x'], line: 'l', parked: 'suspended' }),
    ]);
  });
});
