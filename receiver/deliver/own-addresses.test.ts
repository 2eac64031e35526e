import { describe, expect, it } from 'vitest';
import { compileEgress } from './egress.ts';
import { ownAddresses } from './own-addresses.ts';

const INTERFACES = ['127.0.0.1', '10.1.2.3', 'fe80::1%eth0', '2001:db8::7'];

describe('the addresses of our own listeners', () => {
  it.each(['0.0.0.0', '::'])('are all of the machine’s where one listens on %s', (address) => {
    const own = ownAddresses([{ address, port: 8080 }], INTERFACES);
    const egress = compileEgress({ allowLoopback: true, allow: ['0.0.0.0/0', '::/0'], own });
    for (const reached of ['127.0.0.1', '10.1.2.3', '2001:db8::7', '::ffff:10.1.2.3'])
      expect(egress.refuses(reached, 8080)).toMatch('this installation');
    expect(egress.refuses('10.1.2.3', 8081)).toBeUndefined();
    expect(egress.refuses('10.1.2.4', 8080)).toBeUndefined();
  });

  it('are their own where they listen on one', () => {
    const listener = { address: '127.0.0.1', port: 8080 };
    expect(ownAddresses([listener], INTERFACES)).toEqual([listener]);
  });
});
