import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointEntry } from '../routing/testing.ts';
import { openStage, post, type Stage } from '../testing.ts';

const BODY = '{"id":"evt_1","type":"charge.succeeded"}';
const NOW = Math.floor(Date.now() / 1000);

function hmac(key: string, content: string, encoding: 'hex' | 'base64' = 'hex'): string {
  return createHmac('sha256', key).update(content).digest(encoding);
}

function stripe(key: string, time = NOW): Record<string, string> {
  return { 'stripe-signature': `t=${time},v1=${hmac(key, `${time}.${BODY}`)}` };
}

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
  const key = (name: string, secret: string) => ({ name, secret: Buffer.from(secret).toString('base64') });
  stage.apply(
    endpointEntry({
      name: 'stripe',
      source: 'stripe',
      scheme: 'Stripe',
      keys: [key('current', 'whsec_now'), { ...key('old', 'whsec_old'), notAfter: Date.now() - 1 }],
    }),
    endpointEntry({ name: 'github', source: 'github', scheme: 'GitHub' }),
  );
});
afterAll(() => stage.close());

const CAUSES: readonly (readonly [cause: string, source: string, headers: Record<string, string>])[] = [
  ['no signature', 'stripe', {}],
  ['an empty one', 'stripe', { 'stripe-signature': '' }],
  ['one that cannot be read', 'stripe', { 'stripe-signature': 'v1' }],
  ['no timestamp', 'stripe', { 'stripe-signature': `v1=${hmac('whsec_now', BODY)}` }],
  ['another key', 'stripe', stripe('whsec_other')],
  ['a key that has expired', 'stripe', stripe('whsec_old')],
  ['a right signature, too late', 'stripe', stripe('whsec_now', NOW - 3600)],
  ['a right signature, too early', 'stripe', stripe('whsec_now', NOW + 3600)],
  ['one of another length', 'github', { 'x-hub-signature-256': 'sha256=00' }],
  ['one without its prefix', 'github', { 'x-hub-signature-256': hmac('s3cr3t', BODY) }],
  ['one by another algorithm', 'github', { 'x-hub-signature': `sha1=${hmac('s3cr3t', BODY)}` }],
];

describe('a refused signature', () => {
  it('looks the same from outside whatever its cause, and is recorded with it', async () => {
    const shown: unknown[] = [];
    for (const [, source, headers] of CAUSES) {
      const url = `${stage.receiver.addresses.public}/e/${source}`;
      const answer = await post(url, BODY, {
        'content-type': 'application/json',
        'ce-id': 'claimed',
        ...headers,
      });
      const { date: _, ...rest } = Object.fromEntries(answer.headers);
      shown.push({ status: answer.status, headers: rest, text: answer.text });
    }
    expect(shown[0]).toMatchObject({ status: 401 });
    expect(shown).toEqual(CAUSES.map(() => shown[0]));
    const recorded = await stage.rejected();
    expect(recorded).toHaveLength(CAUSES.length);
    for (const refusal of recorded) {
      expect(refusal).toMatchObject({
        status: 401,
        code: 'unauthorized',
        event: 'claimed',
        bytes: BODY.length,
      });
      expect(refusal).not.toHaveProperty('key');
    }
    const causes = recorded.map(({ cause }) => cause);
    expect(new Set(causes).size).toBeGreaterThan(5);
    expect(causes).toContain('key "old" matched, past its notAfter');
    for (const cause of causes) expect(cause).not.toMatch(/whsec|s3cr3t/);
  });

  it('is recorded apart from what was proved: a flood of it pushes out nothing else', async () => {
    const url = `${stage.receiver.addresses.public}/e/stripe`;
    const broken = { ...stripe('whsec_now'), 'content-type': 'application/cloudevents+json' };
    expect((await post(url, BODY, broken)).status).toBe(400);
    for (let i = 0; i < 200; i++) await post(url, BODY, {});
    const [proved] = await stage.rejected('?code=invalid_event');
    expect(proved).toMatchObject({ entrance: 'WebhookSecret/shop/stripe', key: 'current', status: 400 });
    expect((await stage.rejected('?limit=1000')).length).toBeLessThan(150);
  });
});
