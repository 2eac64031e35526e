import { describe, expect, it } from 'vitest';
import { checkDestination, checkEgressPolicy, compileEgress, type EgressPolicy } from './egress.ts';

function refuses(address: string, policy: EgressPolicy = {}, port = 80) {
  return compileEgress(policy).refuses(address, port);
}

describe('compileEgress', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '169.254.169.254',
    '::ffff:169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    '224.0.0.1',
    '239.1.2.3',
    'ff02::1',
    '255.255.255.255',
    '240.0.0.1',
    'not-an-address',
  ])('refuses %s by default', (address) => expect(refuses(address)).toBeTypeOf('string'));

  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    'fd00::1',
    '1.1.1.1',
    '2a00:1450::1',
    '64:ff9b::101:101',
    '100.64.0.1',
  ])('lets %s through by default', (address) => expect(refuses(address)).toBeUndefined());

  it('opens loopback on request, in every spelling, and nothing else', () => {
    const policy = { allowLoopback: true };
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
      expect(refuses(address, policy)).toBeUndefined();
    for (const address of ['0.0.0.0', '::', '169.254.169.254'])
      expect(refuses(address, policy)).toBeTypeOf('string');
  });

  it('lets the most specific range decide, and deny on a tie', () => {
    const policy = {
      deny: ['10.0.0.0/8', '10.1.2.0/24', '192.168.0.0/16'],
      allow: ['10.1.0.0/16', '192.168.0.0/16', '127.0.0.0/8'],
    };
    expect(refuses('10.2.0.1', policy)).toMatch('denies');
    expect(refuses('10.1.0.1', policy)).toBeUndefined();
    expect(refuses('10.1.2.1', policy)).toMatch('denies');
    expect(refuses('192.168.0.1', policy)).toMatch('denies');
    expect(refuses('127.0.0.1', policy)).toBeUndefined();
  });

  it('closes everything but what is allowed, when asked to', () => {
    const policy = { deny: ['0.0.0.0/0', '::/0'], allow: ['10.0.0.0/8'] };
    expect(refuses('1.1.1.1', policy)).toBeTypeOf('string');
    expect(refuses('2a00::1', policy)).toBeTypeOf('string');
    expect(refuses('10.0.0.1', policy)).toBeUndefined();
  });

  it('does not open metadata, unspecified or multicast addresses to a wide allow', () => {
    const policy = { allow: ['0.0.0.0/0', '::/0'] };
    for (const address of ['169.254.169.254', '0.0.0.0', '224.0.0.1', '127.0.0.1'])
      expect(refuses(address, policy)).toBeTypeOf('string');
    expect(refuses('0.0.0.0', { allow: ['0.0.0.0/32'] })).toBeTypeOf('string');
  });

  it('never leads to its own listeners or the API server', () => {
    const policy: EgressPolicy = {
      allowLoopback: true,
      allow: ['10.0.0.1/32'],
      own: [{ address: '0.0.0.0', port: 8080 }, { address: '10.0.0.1' }],
    };
    expect(refuses('127.0.0.1', policy, 8080)).toMatch('this installation');
    expect(refuses('::1', policy, 8080)).toMatch('this installation');
    expect(refuses('127.0.0.1', policy, 9900)).toBeUndefined();
    expect(refuses('10.0.0.1', policy, 443)).toMatch('this installation');
    expect(refuses('::ffff:10.0.0.1', policy, 443)).toMatch('this installation');
  });

  it('says which range it cannot read', () => {
    expect(
      checkEgressPolicy({ allow: ['10.0.0.0/8', 'ten'], deny: ['::/200'] }).map(({ field }) => field),
    ).toEqual(['egress.allow[1]', 'egress.deny[0]']);
    expect(() => compileEgress({ deny: ['x'] })).toThrow('egress.deny[0]');
  });
});

describe('checkDestination', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://017700000001/',
    'http://0x7f.1/',
    'http://127.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://localhost/',
    'http://LOCALHOST./',
    'http://a.localhost:9900/x',
    'http://①②⑦.0.0.1/',
    'http://169.254.169.254/latest',
    'https://0xa9fea9fe/',
    'http://0/',
    'http://[fe80::1]/',
    'http://user:secret@127.0.0.1/',
  ])('finds %s refused', (url) => {
    const finding = checkDestination(url, {});
    expect(finding).toMatchObject({ field: 'url' });
    expect(finding?.message).not.toContain('secret');
  });

  it.each(['http://10.0.0.1/', 'https://example.com/x', 'http://orders.shop.svc.cluster.local/'])(
    'finds nothing in %s',
    (url) => {
      expect(checkDestination(url, {})).toBeUndefined();
    },
  );

  it.each(['/relative', 'ftp://example.com/', 'nonsense', ''])(
    'wants an absolute http URL, not %s',
    (url) => {
      expect(checkDestination(url, {})?.message).toMatch('absolute http or https URL');
    },
  );

  it.each([
    ['http://0.0.0.0:8585/', {}, 'is an unspecified address; name another host: no egress policy opens it'],
    ['http://224.0.0.1/', {}, 'is a multicast address; name another host: no egress policy opens it'],
    [
      'http://10.0.0.1/',
      { own: [{ address: '10.0.0.1' }] },
      'is an address of this installation itself; name another host: no egress policy opens it',
    ],
    ['http://127.0.0.1/', {}, 'is a loopback address; name another host, or open it in the egress policy'],
    [
      'http://orders.other.svc/',
      { crossNamespace: false },
      'is in the namespace other; name another host, give a ref instead, or let the egress policy cross namespaces',
    ],
  ])('tells for %s under %j a remedy that works', (url, policy: EgressPolicy, told) => {
    const { host } = new URL(url);
    expect(checkDestination(url, policy, 'shop')?.message).toBe(`${host} ${told}`);
  });

  it.each(['0.0.0.0', '224.0.0.1', '240.0.0.1'])('never opens %s', (address) => {
    expect(checkDestination(`http://${address}/`, { allow: [`${address}/32`] })).toBeDefined();
  });

  it('knows the port that a scheme implies', () => {
    const policy: EgressPolicy = { allowLoopback: true, own: [{ address: '127.0.0.1', port: 443 }] };
    expect(checkDestination('https://127.0.0.1/', policy)).toBeDefined();
    expect(checkDestination('http://127.0.0.1/', policy)).toBeUndefined();
  });
});
