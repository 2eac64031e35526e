import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddedIPv4, inRange, parseAddress, parseRange } from './address.ts';

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

describe('parseAddress', () => {
  it('takes exactly what the platform takes for an address', () => {
    const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{1,20}$/), fc.string());
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(!text.includes('%') && !text.startsWith('['));
        return (parseAddress(text) !== undefined) === (isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('drops brackets and the zone', () => {
    expect(parseAddress('[::1]')).toEqual(parseAddress('::1'));
    expect(parseAddress('fe80::1%eth0')).toEqual(parseAddress('fe80::1'));
  });

  it.each([
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.1',
    '2130706433',
    '1.2.3.4.5',
    '1::2::3',
    ':::',
    '12345::',
    '::1.2.3',
    '',
  ])('refuses %s', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('inRange', () => {
  it('agrees with the platform on every prefix', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.nat(32), (network, address, prefix) => {
        const list = new BlockList();
        list.addSubnet(network, prefix, 'ipv4');
        return (
          inRange(parseAddress(address)!, parseRange(`${network}/${prefix}`)!) === list.check(address, 'ipv4')
        );
      }),
    );
  });

  it.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '::/129', 'host/8', ''])(
    'has no range %s',
    (text) => {
      expect(parseRange(text)).toBeUndefined();
    },
  );
});

describe('embeddedIPv4', () => {
  it('finds the IPv4 address in every way to write one', () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        fc.pre(bytes[0] + bytes[1] + bytes[2] > 0);
        const v4 = Uint8Array.from(bytes);
        const dotted = bytes.join('.');
        const [a, b] = [0, 2].map((i) => ((bytes[i]! << 8) | bytes[i + 1]!).toString(16)) as [string, string];
        const inverted = bytes.map((byte) => byte ^ 0xff).join('.');
        const spellings = [
          `::ffff:${dotted}`,
          `::ffff:${a}:${b}`,
          `::${dotted}`,
          `::ffff:0:${dotted}`,
          `64:ff9b::${dotted}`,
          `64:ff9b:1::${dotted}`,
          `2002:${a}:${b}::1`,
          `2001:0:102:304::${inverted}`,
          `fe80::5efe:${dotted}`,
        ];
        for (const text of spellings) expect(embeddedIPv4(parseAddress(text)!), text).toContainEqual(v4);
      }),
    );
  });

  it('finds none in other addresses', () => {
    for (const text of ['::', '::1', '2a00:1450::1', 'fd00::7f00:1', '10.0.0.1'])
      expect(embeddedIPv4(parseAddress(text)!)).toEqual([]);
  });
});
