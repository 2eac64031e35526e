import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from './observe/log.ts';
import { createReceiver, type Receiver } from './receiver.ts';
import type { EndpointEntry, KeyMaterial } from './routing/table.ts';
import { endpointEntry } from './routing/testing.ts';

/*
 * What only a whole receiver can show of the door: answers, challenges, and keys that are fetched.
 */

const FREE = { host: '127.0.0.1', port: 0 };
const ISSUER = 'https://issuer.example';

let directory: string;
let receiver: Receiver;
let logged: string[];
let now: number;
let revision: number;

beforeEach(async () => {
  logged = [];
  revision = 0;
  now = Date.now();
  directory = await mkdtemp(join(tmpdir(), 'signalbox-door-'));
  receiver = await createReceiver({
    dataDirectory: directory,
    public: FREE,
    cluster: FREE,
    admin: FREE,
    adminToken: 'admin-t0ken',
    egress: { allowLoopback: true },
    log: createLog('debug', { write: (line: string) => void logged.push(line) }),
    now: () => now,
    random: Math.random,
  });
});

afterEach(async () => {
  await receiver.close();
  await rm(directory, { recursive: true });
});

function apply(entry: Partial<EndpointEntry>): void {
  revision += 1;
  receiver.apply({ version: 1, revision, entries: [endpointEntry(entry)] });
}

function key(text: string): KeyMaterial {
  return { name: 'current', secret: Buffer.from(text).toString('base64') };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function send(headers: Readonly<Record<string, string>>, body: string, query = ''): Promise<Answer> {
  const url = `${receiver.addresses.public}/e/shop.hooks${query}`;
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function events(): Promise<readonly { attributes: Record<string, string> }[]> {
  const response = await fetch(`${receiver.addresses.admin}/api/events`, {
    headers: { authorization: 'Bearer admin-t0ken' },
  });
  return ((await response.json()) as { items: { attributes: Record<string, string> }[] }).items;
}

describe('Slack', () => {
  const signed = (body: string, contentType = 'application/json') => {
    const seconds = String(Math.floor(now / 1000));
    return {
      'content-type': contentType,
      'x-slack-request-timestamp': seconds,
      'x-slack-signature': `v0=${createHmac('sha256', 'sl4ck').update(`v0:${seconds}:${body}`).digest('hex')}`,
    };
  };
  const challenge = JSON.stringify({ type: 'url_verification', token: 't', challenge: '<b>3eZbrw1aBm2</b>' });

  beforeEach(() => apply({ scheme: 'Slack', keys: [key('sl4ck')] }));

  it('has its challenge answered, once the signature holds, and no event comes of it', async () => {
    const answer = await send(signed(challenge), challenge);
    expect([answer.status, answer.text]).toEqual([200, '<b>3eZbrw1aBm2</b>']);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    const forged = await send({ ...signed('{}') }, challenge);
    expect(forged.status).toBe(401);
    expect(forged.text).not.toContain('3eZbrw1aBm2');
    expect(await events()).toEqual([]);
  });

  it('is answered 200, and without a body where Slack would show it', async () => {
    const body = JSON.stringify({
      type: 'event_callback',
      event_id: 'Ev1',
      team_id: 'T1',
      event: { type: 'message' },
    });
    const first = await send(signed(body), body);
    expect(first.status).toBe(200);
    expect(JSON.parse(first.text)).toMatchObject({
      events: [{ id: 'Ev1', source: 'https://slack.com/team/T1' }],
    });
    const form = 'command=%2Fweather&team_id=T1&user_id=U1';
    const command = await send(signed(form, 'application/x-www-form-urlencoded'), form);
    expect([command.status, command.text]).toEqual([200, '']);
    expect((await events()).map(({ attributes }) => attributes['type']).sort()).toEqual([
      'com.slack.command',
      'com.slack.message',
    ]);
  });
});

describe('Twilio', () => {
  it('is verified by the address in front of the proxy, and answered with an empty 204', async () => {
    apply({ scheme: 'Twilio', keys: [key('tw1lio')], publicUrl: 'https://hooks.example.com/' });
    const form = 'MessageSid=SM1&AccountSid=AC1&MessageStatus=delivered';
    const content = 'https://hooks.example.com/e/shop.hooksAccountSidAC1MessageSidSM1MessageStatusdelivered';
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'i-twilio-idempotency-token': 'tok-1',
      'x-twilio-signature': createHmac('sha1', 'tw1lio').update(content).digest('base64'),
    };
    const answer = await send(headers, form);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await events())[0]?.attributes).toMatchObject({
      id: 'tok-1',
      type: 'com.twilio.message.delivered',
      source: 'https://api.twilio.com/accounts/AC1',
      subject: 'SM1',
    });
  });

  it('tells the sender of too large a form no more than that of any that is not proved', async () => {
    apply({ scheme: 'Twilio', keys: [key('tw1lio')], publicUrl: 'https://hooks.example.com/' });
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'AAAA' };
    const small = await send(headers, 'a=1');
    const large = await send(headers, 'a&'.repeat(1000));
    expect([large.status, large.text]).toEqual([401, small.text]);
    expect(logged.join('')).toContain('the body is a form of more than 1000 fields');
  });
});

describe.each([
  ['StandardWebhooks', {}, 'msg_1'],
  ['StandardWebhooks', { event: { id: { header: 'webhook-id' } } }, 'msg_1'],
  ['StandardWebhooks', { event: { id: { contentHash: true } } }, undefined],
  ['GitLab', {}, 'msg_1'],
] as const)('%s with signed headers and %j', (scheme, more, id) => {
  const body = '{"type":"order.paid","object_kind":"push"}';
  const signed = (family: 'webhook' | 'svix') => {
    const seconds = String(Math.floor(now / 1000));
    const digest = createHmac('sha256', 's1gned').update(`msg_1.${seconds}.${body}`).digest('base64');
    return {
      [`${family}-id`]: 'msg_1',
      [`${family}-timestamp`]: seconds,
      [`${family}-signature`]: `v1,${digest}`,
    };
  };

  it('gives a request one id, whatever unsigned headers it is sent again with', async () => {
    const whsec = `whsec_${Buffer.from('s1gned').toString('base64')}`;
    apply({ scheme, keys: [key(whsec)], dedup: { enabled: true, windowMs: 3_600_000 }, ...more });
    const forged = (family: 'webhook' | 'svix') => ({
      [`${family}-id`]: 'msg_2',
      [`${family}-timestamp`]: '1',
      [`${family}-signature`]: 'v1,AAAA',
      'idempotency-key': 'idem-2',
    });
    const sent = [
      { ...signed('svix'), ...signed('webhook') },
      signed('webhook'),
      signed('svix'),
      { ...signed('webhook'), ...forged('svix') },
      { ...signed('svix'), ...forged('webhook') },
      { ...signed('svix'), 'webhook-id': 'msg_3', 'idempotency-key': 'idem-3' },
    ];
    for (const headers of sent) {
      const answer = await send({ 'content-type': 'application/json', ...headers }, body);
      expect(answer.status).toBe(202);
    }
    const ids = new Set((await events()).map(({ attributes }) => attributes['id']));
    expect(ids.size).toBe(1);
    if (id !== undefined) expect([...ids]).toEqual([id]);
  });
});

describe('Bearer', () => {
  it('shows its token in no log and no record, also when it came in the URL', async () => {
    apply({ scheme: 'Bearer', keys: [key('b34rer-t0ken')] });
    expect((await send({}, '{"id":"1","type":"a"}', '?access_token=b34rer-t0ken')).status).toBe(202);
    expect((await send({}, '{}', '?access_token=wr0ng-b34rer')).status).toBe(401);
    expect((await send({ authorization: 'Bearer b34rer-t0ken' }, '{"id":"2","type":"a"}')).status).toBe(202);
    const told = [...logged, JSON.stringify(await events())].join('\n');
    expect(told).not.toContain('b34rer');
    expect(told).not.toContain('access_token');
  });
});

describe('JWT', () => {
  let issuer: Server;
  let jwksUri: string;
  let keys: object[];
  let fetched: number;
  let respond: (status: number) => number;

  beforeEach(async () => {
    keys = [];
    fetched = 0;
    respond = (status) => status;
    issuer = createServer((_request, response) => {
      fetched += 1;
      response.writeHead(respond(200)).end(JSON.stringify({ keys }));
    });
    issuer.listen(0, '127.0.0.1');
    await once(issuer, 'listening');
    jwksUri = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks.json`;
    applyJwt();
  });

  afterEach(() => void issuer.close());

  function applyJwt(over: Partial<NonNullable<EndpointEntry['jwt']>> = {}): void {
    const jwt = {
      issuer: ISSUER,
      audiences: ['signalbox'],
      jwksUri,
      algorithms: ['RS256', 'ES256', 'EdDSA'],
      ...over,
    };
    apply({ scheme: 'JWT', keys: [], jwt });
  }

  async function signer(kid: string | undefined, alg = 'ES256') {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', ...(kid === undefined ? {} : { kid }) };
    const sign = (over: JWTPayload = {}) => {
      const seconds = Math.floor(now / 1000);
      const claims = { iss: ISSUER, aud: 'signalbox', exp: seconds + 60, nbf: seconds - 1, ...over };
      const header = kid === undefined ? { alg } : { alg, kid };
      return new SignJWT(JSON.parse(JSON.stringify(claims)) as JWTPayload)
        .setProtectedHeader(header)
        .sign(privateKey);
    };
    return { jwk, sign };
  }

  let sent = 0;
  function show(token: string): Promise<Answer> {
    sent += 1;
    return send({ authorization: `Bearer ${token}` }, JSON.stringify({ id: String(sent), type: 'a' }));
  }

  it.each(['RS256', 'ES256', 'EdDSA'])(
    'takes a token of the issuer, signed with %s, and fetches the keys once',
    async (alg) => {
      const { jwk, sign } = await signer('k1', alg);
      keys = [jwk];
      expect((await show(await sign())).status).toBe(202);
      expect((await show(await sign({ aud: ['other', 'signalbox'] }))).status).toBe(202);
      applyJwt({ audiences: ['signalbox', 'more'] });
      expect((await show(await sign())).status).toBe(202);
      expect(fetched).toBe(1);
    },
  );

  it('refuses other issuers, audiences, times and algorithms, all alike', async () => {
    const { jwk, sign } = await signer('k1');
    const other = await signer('k1');
    const unpinned = await signer('k2', 'ES384');
    keys = [jwk, unpinned.jwk];
    const seconds = Math.floor(now / 1000);
    const hs256 = await new SignJWT({ iss: ISSUER, aud: 'signalbox', exp: seconds + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(Buffer.from(JSON.stringify(jwk)));
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await sign()).split('.')[1]}.`;
    const refusals = [
      await show(await sign({ iss: 'https://other.example' })),
      await show(await sign({ aud: 'other' })),
      await show(await sign({ exp: seconds - 10 })),
      await show(await sign({ nbf: seconds + 60 })),
      await show(none),
      await show(await sign({ exp: undefined } as unknown as JWTPayload)),
      await show(await other.sign()),
      await show(await unpinned.sign()),
      await show(hs256),
      await show('no.token.atall'),
      await show('x'),
      await send({}, '{}'),
    ];
    expect(refusals.map(({ status }) => status)).toEqual(refusals.map(() => 401));
    expect(new Set(refusals.map(({ text }) => text)).size).toBe(1);
  });

  it('follows a rotation, and fetches at most once a minute for keys that nobody knows', async () => {
    const first = await signer('k1');
    const second = await signer('k2');
    keys = [first.jwk];
    expect((await show(await first.sign())).status).toBe(202);
    keys = [first.jwk, second.jwk];
    expect((await show(await second.sign())).status).toBe(202);
    expect(fetched).toBe(2);
    const stranger = await signer('k3');
    for (let i = 0; i < 5; i += 1) expect((await show(await stranger.sign())).status).toBe(401);
    expect(fetched).toBe(2);
    now += 60_000;
    expect((await show(await stranger.sign())).status).toBe(401);
    expect(fetched).toBe(3);
    // A key that the issuer takes back ends with the cache.
    keys = [second.jwk];
    now += 10 * 60_000;
    expect((await show(await first.sign())).status).toBe(401);
    expect((await show(await second.sign())).status).toBe(202);
  });

  it('answers 503 while the issuer is away and nothing is cached, and serves on from the cache', async () => {
    const { jwk, sign } = await signer('k1');
    keys = [jwk];
    respond = () => 500;
    const away = await show(await sign());
    expect(away.status).toBe(503);
    expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await show('no.token.atall')).status).toBe(401);
    respond = (status) => status;
    now += 5000;
    expect((await show(await sign())).status).toBe(202);
    respond = () => 500;
    now += 10 * 60_000;
    expect((await show(await sign())).status).toBe(202);
    // A key that is not in the cache may be a new one: that cannot be told now.
    expect((await show(await (await signer('k2')).sign())).status).toBe(503);
  });

  it('takes keys without names, and keys from a Secret', async () => {
    const [one, two] = [await signer(undefined), await signer(undefined)];
    keys = [one.jwk, two.jwk];
    expect((await show(await two.sign())).status).toBe(202);
    expect((await show(await (await signer(undefined)).sign())).status).toBe(401);
    const { jwksUri: _, ...jwt } = {
      issuer: ISSUER,
      audiences: ['signalbox'],
      jwksUri,
      jwks: JSON.stringify({ keys: [one.jwk] }),
      algorithms: ['ES256'],
    };
    apply({ scheme: 'JWT', keys: [], jwt });
    fetched = 0;
    expect((await show(await one.sign())).status).toBe(202);
    expect((await show(await two.sign())).status).toBe(401);
    expect(fetched).toBe(0);
  });

  it('never reaches an address that the policy closes', async () => {
    applyJwt({ jwksUri: 'http://169.254.169.254/jwks.json' });
    expect((await show(await (await signer('k1')).sign())).status).toBe(503);
    // Nor more than a document's worth.
    applyJwt({ jwksUri: `${jwksUri}?large` });
    keys = [{ kty: 'oct', k: 'x'.repeat(1_100_000) }];
    expect((await show(await (await signer('k1')).sign())).status).toBe(503);
  });
});

describe('the admin API', () => {
  it('tells when each key last proved a request, until its endpoint goes', async () => {
    const used = async () => {
      const headers = { authorization: 'Bearer admin-t0ken' };
      return (await fetch(`${receiver.addresses.admin}/api/keys`, { headers })).json();
    };
    apply({ scheme: 'Bearer', keys: [key('a'), { ...key('b'), name: 'next' }] });
    expect(await used()).toEqual({ items: [] });
    await send({ authorization: 'Bearer a' }, '{"id":"1"}');
    await send({ authorization: 'Bearer wrong' }, '{"id":"2"}');
    const first = now;
    now += 1000;
    await send({ authorization: 'Bearer b' }, '{"id":"3"}');
    const entrance = 'WebhookSecret/shop/hooks';
    expect(await used()).toEqual({
      items: [
        { entrance, key: 'current', lastUsed: first },
        { entrance, key: 'next', lastUsed: now },
      ],
    });
    revision += 1;
    receiver.apply({ version: 1, revision, entries: [] });
    expect(await used()).toEqual({ items: [] });
  });
});

describe('bodySHA256', () => {
  it('names a JSON body behind a proxy', async () => {
    apply({ scheme: 'Twilio', keys: [key('tw1lio')], publicUrl: 'https://hooks.example.com' });
    const body = '{"EventType":"onMessageAdded","AccountSid":"AC1"}';
    const query = `?bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
    const url = `https://hooks.example.com/e/shop.hooks${query}`;
    const headers = {
      'content-type': 'application/json',
      'x-twilio-signature': createHmac('sha1', 'tw1lio').update(url).digest('base64'),
    };
    expect((await send(headers, body, query)).status).toBe(204);
    expect((await send(headers, `${body} `, query)).status).toBe(401);
    expect((await send(headers, '', query)).status).toBe(401);
    const form = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
    for (const nothing of ['', '&=&', body]) expect((await send(form, nothing, query)).status).toBe(401);
    expect((await send(headers, body, query)).status).toBe(204);
  });
});
