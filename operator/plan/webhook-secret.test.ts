import { describe, expect, it } from 'vitest';
import { bearerDigest } from '../../receiver/routing/bearer-index.ts';
import type { EndpointEntry } from '../../receiver/routing/table.ts';
import { secrets, webhookSecret, webhookSecretInput } from './testing.ts';
import { planWebhookSecret, type WebhookSecretInput } from './webhook-secret.ts';

const TWO = [
  { name: 'old', secretKeyRef: { name: 'hooks', key: 'old' } },
  { name: 'new', secretKeyRef: { name: 'hooks', key: 'new' } },
];
const BOTH = secrets({ hooks: { old: 'one', new: 'two' } });

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The entry that an earlier, good generation left in the table. */
function published(over: Partial<WebhookSecretInput> = {}): EndpointEntry {
  const { entry } = planWebhookSecret(webhookSecretInput(over));
  return entry as EndpointEntry;
}

describe('a good WebhookSecret', () => {
  it('becomes an endpoint with its defaults', () => {
    const outcome = planWebhookSecret(webhookSecretInput());
    expect(outcome.entry).toEqual({
      kind: 'WebhookSecret',
      namespace: 'shop',
      name: 'hooks',
      uid: 'uid-hooks',
      generation: 1,
      source: 'shop.hooks',
      scheme: 'Emporix',
      keys: [{ name: 'current', secret: base64('s3cr3t') }],
      publicUrl: 'https://hooks.example.com/',
      dedup: { enabled: true, windowMs: 86_400_000 },
      limits: { bodyBytes: 1_048_576 },
    });
    expect(outcome.ready).toMatchObject({ status: 'True', reason: 'Live' });
    expect(outcome.findings).toEqual([]);
    expect(outcome.status).toEqual({
      servingGeneration: 1,
      source: 'shop.hooks',
      url: 'https://hooks.example.com/e/shop.hooks',
      keys: [{ name: 'current' }],
    });
  });

  it('takes over what the spec says', () => {
    const spec = {
      source: 'orders',
      scheme: 'HMAC' as const,
      publicUrl: 'https://proxy.example',
      hmac: { header: 'X-Sig', fields: { timestamp: 't', signature: 'v1' }, tolerance: 'PT90S' },
      secrets: [
        { name: 'k', secretKeyRef: { name: 'hooks', key: 'secret' }, notAfter: '2030-01-01T00:00:00Z' },
      ],
      event: { type: { header: 'X-Event' }, id: { contentHash: true as const } },
      dedup: { enabled: true, window: '1h30m' },
      limits: { bodyBytes: '512Ki', rate: { requests: 10, per: '1m' } },
    };
    const outcome = planWebhookSecret(webhookSecretInput({ resource: webhookSecret(spec) }));
    expect(outcome.findings).toEqual([]);
    expect(outcome.entry).toMatchObject({
      source: 'orders',
      publicUrl: 'https://proxy.example',
      hmac: { header: 'X-Sig', signedContent: '{timestamp}.{body}', toleranceMs: 90_000 },
      keys: [{ name: 'k', notAfter: Date.UTC(2030, 0, 1) }],
      event: { type: { header: 'X-Event' }, id: { contentHash: true } },
      dedup: { enabled: true, windowMs: 5_400_000 },
      limits: { bodyBytes: 524_288, rate: { requests: 10, perMs: 60_000 } },
    });
    expect(outcome.status.url).toBe('https://proxy.example/e/orders');
  });

  it('tells whether repeats are known', () => {
    const reasonOf = (spec: Parameters<typeof webhookSecret>[0]): string | undefined =>
      planWebhookSecret(webhookSecretInput({ resource: webhookSecret(spec) })).conditions[0]?.reason;
    const hmac = { header: 'X-Sig' };
    expect(reasonOf({})).toBe('EventIdKnown');
    expect(reasonOf({ scheme: 'HMAC', hmac })).toBe('NoEventId');
    expect(reasonOf({ scheme: 'HMAC', hmac: { ...hmac, timestamp: { header: 'X-Time' } } })).toBe(
      'EventIdKnown',
    );
    expect(reasonOf({ scheme: 'HMAC', hmac, event: { id: { header: 'X-Id' } } })).toBe('EventIdKnown');
    expect(reasonOf({ scheme: 'GitHub', event: { id: { unique: true } } })).toBe('NoEventId');
    expect(reasonOf({ dedup: { enabled: false } })).toBe('DedupOff');
  });
});

describe('a key that is missing', () => {
  it('leaves the endpoint to the other keys', () => {
    const input = webhookSecretInput({
      resource: webhookSecret({ secrets: TWO }),
      secrets: secrets({ hooks: { new: 'two' } }),
    });
    const { entry, ready } = planWebhookSecret(input);
    expect(entry).toMatchObject({ keys: [{ name: 'new', secret: base64('two') }] });
    expect(entry).not.toHaveProperty('cannotVerify');
    expect(ready).toMatchObject({ status: 'False', reason: 'SecretKeyMissing' });
    expect(ready.message).toContain('spec.secrets[0].secretKeyRef.key');
    expect(ready.message).toContain('serves with "new"');
  });

  it.each([
    ['no Secret', {}, 'SecretNotFound'],
    ['no such key', { hooks: { other: 'x' } }, 'SecretKeyMissing'],
    ['an empty value', { hooks: { secret: '' } }, 'SecretKeyMissing'],
  ])('makes the endpoint answer 503 where it was the only one (%s)', (_, all, reason) => {
    const { entry, ready } = planWebhookSecret(webhookSecretInput({ secrets: secrets(all) }));
    expect(entry).toMatchObject({ keys: [], cannotVerify: expect.stringContaining('hooks') });
    expect(ready).toMatchObject({ status: 'False', reason });
    expect(ready.message).toContain('503');
  });

  it('is one that has ended, where all have', () => {
    const end = Date.UTC(2027, 0, 31);
    const ending = TWO.map((key) => ({ ...key, notAfter: '2027-01-31T00:00:00Z' }));
    const input = webhookSecretInput({ resource: webhookSecret({ secrets: ending }), secrets: BOTH });
    expect(planWebhookSecret({ ...input, now: end - 1 })).toMatchObject({
      ready: { status: 'True' },
      until: end,
    });
    const { entry, ready, findings, until } = planWebhookSecret({ ...input, now: end });
    const told = 'every key is past its notAfter: add a new key, or give one a later notAfter';
    expect(entry).toMatchObject({ cannotVerify: `spec.secrets: ${told}` });
    expect(ready).toMatchObject({
      status: 'False',
      reason: 'CannotVerify',
      message: `spec.secrets: ${told}; the endpoint answers 503 until then`,
    });
    expect(findings).toEqual([expect.objectContaining({ field: 'spec.secrets', message: told })]);
    expect(until).toBeUndefined();

    const resource = webhookSecret({ secrets: [...ending.slice(1), ...TWO.slice(0, 1)] });
    const rotated = planWebhookSecret({ ...input, resource, now: end });
    expect(rotated).toMatchObject({ ready: { status: 'True' }, findings: [] });
    expect(rotated).not.toHaveProperty('until');
  });

  it('is made where the spec asks for it, and only where the whole Secret is missing', () => {
    const resource = webhookSecret({ secrets: TWO, generate: { bytes: 16 } });
    const input = webhookSecretInput({ resource, secrets: secrets({}) });
    const { ready, toMake } = planWebhookSecret(input);
    expect(ready).toMatchObject({ status: 'False', reason: 'SecretNotFound' });
    expect(ready.message).toContain('is being made');
    expect(toMake).toMatchObject([{ name: 'hooks', keys: ['old', 'new'], bytes: 16 }]);

    const half = planWebhookSecret({ ...input, secrets: secrets({ hooks: { old: 'one' } }) });
    expect(half.toMake).toBeUndefined();
    expect(half.ready.message).toContain('spec.generate changes no Secret that exists');

    const offline = planWebhookSecret({ ...input, canGenerate: false });
    expect(offline.toMake).toBeUndefined();
    expect(offline.ready.message).toContain('spec.generate makes it in a cluster whose operator');
  });

  it.each([
    ['Emporix', {}],
    ['StandardWebhooks', {}],
    ['SignedHeaders', {}],
    ['Basic', {}],
    ['Bearer', {}],
    ['HMAC', { hmac: { header: 'X-S', keyEncoding: 'Hex' as const, keyPrefix: 'k_' } }],
    ['HMAC', { hmac: { header: 'X-S', keyEncoding: 'Base64' as const } }],
  ] as const)('is made in a form that %s reads', (scheme, more) => {
    const resource = webhookSecret({ scheme, ...more, generate: {} });
    const input = webhookSecretInput({ resource, secrets: secrets({}) });
    const [made] = planWebhookSecret(input).toMake ?? [];
    const value = made?.form(Buffer.alloc(made.bytes, 0xfb)) ?? '';
    expect(made?.bytes).toBe(32);
    const outcome = planWebhookSecret({ ...input, secrets: secrets({ hooks: { secret: value } }) });
    expect(outcome.findings).toEqual([]);
    expect(outcome.ready.status).toBe('True');
  });

  it('is one that does not fit the scheme, too', () => {
    const hmac = { header: 'X-Sig', keyEncoding: 'Hex' as const };
    const list = TWO.toReversed().map((one, i) => ({ ...one, name: `k${i}` }));
    const resource = webhookSecret({ scheme: 'HMAC', hmac, secrets: list });
    const input = webhookSecretInput({
      resource,
      secrets: secrets({ hooks: { old: 'not hex', new: 'abcd' } }),
    });
    const { entry, ready } = planWebhookSecret(input);
    expect(entry).toMatchObject({ keys: [{ name: 'k0' }] });
    expect(ready).toMatchObject({ status: 'False', reason: 'CannotVerify' });
    expect(ready.message).toContain('spec.secrets[1].secretKeyRef.key: the value of key "old" is not Hex; ');
    expect(JSON.stringify(ready)).not.toContain('not hex');

    const alone = planWebhookSecret({ ...input, secrets: secrets({ hooks: { old: 'not hex', new: 'no' } }) });
    expect(alone.entry).toMatchObject({ keys: [], cannotVerify: expect.any(String) });
    expect(alone.ready.reason).toBe('CannotVerify');
  });
});

describe('a Bearer token that two WebhookSecrets have', () => {
  const bearer = webhookSecret({ scheme: 'Bearer' });

  it('stays with the first, and the later is told and works at its own address', () => {
    const input = webhookSecretInput({ resource: bearer, tokenHolderOf: () => 'shop/first' });
    const { entry, ready, conditions, findings } = planWebhookSecret(input);
    expect(entry).toMatchObject({ keys: [{ name: 'current', heldBy: 'shop/first' }] });
    expect(ready.status).toBe('True');
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: 'TokenUnique', status: 'False', reason: 'TokenTaken' }),
    );
    expect(findings).toMatchObject([{ message: expect.stringContaining('/e/shop.hooks only') }]);
    expect(JSON.stringify([conditions, findings])).not.toContain('shop/first');
  });

  it('is told no more once its key has ended', () => {
    const end = Date.UTC(2027, 0, 31);
    const keys = [
      { name: 'ends', secretKeyRef: { name: 'hooks', key: 'secret' }, notAfter: '2027-01-31T00:00:00Z' },
      { name: 'own', secretKeyRef: { name: 'hooks', key: 'own' } },
    ];
    const input = webhookSecretInput({
      resource: webhookSecret({ scheme: 'Bearer', secrets: keys }),
      secrets: secrets({ hooks: { secret: 's3cr3t', own: 'mine' } }),
      tokenHolderOf: (digest) => (digest === bearerDigest('s3cr3t') ? 'shop/first' : undefined),
    });
    expect(planWebhookSecret({ ...input, now: end - 1 })).toMatchObject({ findings: [{}], until: end });
    const { conditions, findings, until } = planWebhookSecret({ ...input, now: end });
    expect(findings).toEqual([]);
    expect(conditions.map(({ type }) => type)).toEqual(['Deduplicated']);
    expect(until).toBeUndefined();
  });

  it('is its own again once the first is gone, and while it holds it itself', () => {
    const previous = { ...published({ resource: bearer, tokenHolderOf: () => 'shop/first' }) };
    for (const holder of [undefined, 'shop/hooks']) {
      const input = webhookSecretInput({ resource: bearer, previous, tokenHolderOf: () => holder });
      const { entry, conditions } = planWebhookSecret(input);
      expect((entry as EndpointEntry).keys).toEqual([{ name: 'current', secret: base64('s3cr3t') }]);
      expect(conditions.map(({ type }) => type)).toEqual(['Deduplicated']);
    }
  });
});

describe('scheme JWT', () => {
  const jwt = { issuer: 'https://issuer.example', audiences: ['signalbox'] };
  const uri = { ...jwt, jwksUri: 'https://issuer.example/jwks.json' };
  const inSecret = { ...jwt, jwks: { secretKeyRef: { name: 'issuer', key: 'jwks' } } };

  function plan(
    spec: typeof uri | typeof inSecret,
    all: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ) {
    const { secrets: _, ...rest } = webhookSecret({ scheme: 'JWT', jwt: spec }).spec;
    const resource = { ...webhookSecret(), spec: rest };
    return planWebhookSecret(webhookSecretInput({ resource, secrets: secrets(all) }));
  }

  it('needs no secrets, and pins its algorithms', () => {
    const { entry, ready } = plan(uri);
    expect(ready.status).toBe('True');
    expect(entry).toMatchObject({ jwt: { ...uri, algorithms: ['RS256', 'ES256', 'EdDSA'] }, keys: [] });
    expect(entry).not.toHaveProperty('cannotVerify');
  });

  it('reads the keys from a Secret, and cannot verify without them', () => {
    const keys = '{"keys":[]}';
    expect(plan(inSecret, { issuer: { jwks: keys } }).entry).toMatchObject({ jwt: { jwks: keys } });
    for (const [all, reason] of [
      [{}, 'SecretNotFound'],
      [{ issuer: { jwks: 'no document' } }, 'CannotVerify'],
    ] as const) {
      const { entry, ready } = plan(inSecret, all);
      expect(ready).toMatchObject({ status: 'False', reason });
      expect(entry).toMatchObject({ cannotVerify: expect.any(String) });
    }
  });

  it('is refused where the policy closes the issuer’s address', () => {
    const { entry, ready } = plan({ ...jwt, jwksUri: 'http://169.254.169.254/keys' });
    expect(entry).toBeUndefined();
    expect(ready).toMatchObject({ reason: 'EgressRefused' });
    expect(ready.message).toContain('spec.jwt.jwksUri');
  });
});

describe('a bad edit', () => {
  const bad = { hmac: { header: 'X-Sig', signedContent: '{nonsense}' }, scheme: 'HMAC' as const };

  it('of a new resource publishes nothing', () => {
    const { entry, ready, status } = planWebhookSecret(webhookSecretInput({ resource: webhookSecret(bad) }));
    expect(entry).toBeUndefined();
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(ready.message).toContain('spec.hmac');
    expect(ready.message).not.toContain('still serves');
    expect(status).not.toHaveProperty('url');
  });

  it('keeps the last good generation and says which it is', () => {
    const previous = published({ resource: webhookSecret({}, 6) });
    const { entry, ready, status } = planWebhookSecret(
      webhookSecretInput({ resource: webhookSecret(bad, 7), previous }),
    );
    expect(entry).toEqual(previous);
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(ready.message).toContain('generation 6 still serves');
    expect(status).toMatchObject({ servingGeneration: 6, url: 'https://hooks.example.com/e/shop.hooks' });
  });

  it('of a re-created resource inherits nothing from the one before', () => {
    const previous = { ...published(), uid: 'another' };
    const { entry } = planWebhookSecret(webhookSecretInput({ resource: webhookSecret(bad, 7), previous }));
    expect(entry).toBeUndefined();
  });

  it('does not hold back a rotation of the Secret', () => {
    const previous = published();
    const input = webhookSecretInput({
      resource: webhookSecret(bad, 2),
      previous,
      secrets: secrets({ hooks: { secret: 'rotated' } }),
    });
    expect(planWebhookSecret(input).entry).toMatchObject({
      generation: 1,
      keys: [{ secret: base64('rotated') }],
    });
  });

  it('does not keep a key that it removes, nor one whose Secret is gone', () => {
    const previous = published({ resource: webhookSecret({ secrets: TWO }), secrets: BOTH });
    expect(previous.keys).toHaveLength(2);
    const removed = webhookSecret({ ...bad, secrets: TWO.slice(1) }, 2);
    expect(
      planWebhookSecret(webhookSecretInput({ resource: removed, secrets: BOTH, previous })).entry,
    ).toMatchObject({
      keys: [{ name: 'new' }],
    });
    const resource = webhookSecret({ ...bad, secrets: TWO }, 2);
    const gone = planWebhookSecret(webhookSecretInput({ resource, secrets: secrets({}), previous }));
    expect(gone.entry).toMatchObject({ generation: 1, keys: [], cannotVerify: expect.any(String) });
    expect(gone.ready.message).toContain('503');
  });

  it('keeps a key that it only renames, and takes its end', () => {
    const previous = published();
    const renamed = {
      name: 'renamed',
      secretKeyRef: { name: 'hooks', key: 'secret' },
      notAfter: '2030-01-01T00:00:00Z',
    };
    const resource = webhookSecret({ ...bad, secrets: [renamed] }, 2);
    expect(planWebhookSecret(webhookSecretInput({ resource, previous })).entry).toMatchObject({
      keys: [{ name: 'renamed', secret: base64('s3cr3t'), notAfter: Date.UTC(2030, 0, 1) }],
    });
  });

  it('tells that the keys it has left have ended', () => {
    const ended = TWO.map((key) => ({ ...key, notAfter: '2020-01-01T00:00:00Z' }));
    const resource = webhookSecret({ ...bad, secrets: ended }, 2);
    const { entry, ready } = planWebhookSecret(
      webhookSecretInput({ resource, secrets: BOTH, previous: published() }),
    );
    expect(entry).toMatchObject({ generation: 1, cannotVerify: expect.any(String) });
    expect(ready.message).toContain('but it answers 503: spec.secrets: every key is past its notAfter');
  });

  it('serves again with a key that came back', () => {
    const gone = planWebhookSecret(
      webhookSecretInput({ resource: webhookSecret(bad, 2), previous: published(), secrets: secrets({}) }),
    );
    const previous = gone.entry as EndpointEntry;
    expect(previous.keys).toEqual([]);
    const { entry } = planWebhookSecret(webhookSecretInput({ resource: webhookSecret(bad, 2), previous }));
    expect(entry).toMatchObject({ generation: 1, keys: [{ secret: base64('s3cr3t') }] });
    expect(entry).not.toHaveProperty('cannotVerify');
  });
});

describe('what is refused', () => {
  it.each([
    ['spec.dedup.window', { dedup: { window: '1 day' } }],
    ['spec.limits.bodyBytes', { limits: { bodyBytes: '1MB' } }],
    ['spec.limits.rate.per', { limits: { rate: { requests: 1, per: '0s' } } }],
    [
      'spec.secrets[0].notAfter',
      { secrets: [{ name: 'a', secretKeyRef: { name: 'hooks', key: 'secret' }, notAfter: 'soon' }] },
    ],
  ])('names %s', (field, spec) => {
    const { ready, findings } = planWebhookSecret(webhookSecretInput({ resource: webhookSecret(spec) }));
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(findings.map((finding) => finding.field)).toEqual([field]);
  });

  it('is a source that another holds', () => {
    const taken = webhookSecretInput({
      resource: webhookSecret({ source: 'orders' }),
      holderOf: () => 'other/first',
    });
    const { entry, ready } = planWebhookSecret(taken);
    expect(entry).toBeUndefined();
    expect(ready).toMatchObject({ status: 'False', reason: 'SourceTaken' });
    expect(ready.message).toContain('other/first');
    // Its holder keeps it, and an edit to a taken one keeps the source from before.
    expect(planWebhookSecret({ ...taken, holderOf: () => 'shop/hooks' }).ready.status).toBe('True');
    expect(planWebhookSecret({ ...taken, previous: published() }).entry).toMatchObject({
      source: 'shop.hooks',
    });
  });
});
