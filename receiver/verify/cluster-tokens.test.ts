import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createClusterTokens, type TokenVerdict } from './cluster-tokens.ts';

const ISSUER = 'https://kubernetes.default.svc';
const AUDIENCE = 'signalbox.dev/eventtrigger/shop/pack-order';
const SUBJECT = 'system:serviceaccount:shop:broker';
const NOW = Date.UTC(2026, 10, 25);

interface Made {
  readonly kid?: string;
  readonly issuer?: string;
  readonly audience?: string;
  readonly subject?: unknown;
  readonly until?: number;
}

/** An issuer whose key can be replaced, and which counts how often it is asked. */
async function openIssuer() {
  let pair = await generateKeyPair('RS256');
  let kid = 'first';
  let asked = 0;
  let away = false;
  const documents = {
    configuration: async () => {
      if (away) throw new Error('connection refused');
      asked += 1;
      return JSON.stringify({ issuer: ISSUER, jwks_uri: 'https://10.0.0.1/openid/v1/jwks' });
    },
    keys: async () =>
      JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' }] }),
  };
  const tokens = createClusterTokens(documents, () => NOW);
  return {
    get asked() {
      return asked;
    },
    goAway: () => {
      away = true;
    },
    async rotate() {
      pair = await generateKeyPair('RS256');
      kid = 'second';
    },
    token: (made: Made = {}) =>
      new SignJWT({ sub: made.subject ?? SUBJECT } as JWTPayload)
        .setProtectedHeader({ alg: 'RS256', kid: made.kid ?? kid })
        .setIssuer(made.issuer ?? ISSUER)
        .setAudience(made.audience ?? AUDIENCE)
        .setExpirationTime(Math.floor((made.until ?? NOW + 600_000) / 1000))
        .sign(pair.privateKey),
    judge: (token: string | undefined, subjects?: readonly string[], at = NOW): Promise<TokenVerdict> =>
      tokens.judge(
        { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } },
        { audience: AUDIENCE, ...(subjects === undefined ? {} : { subjects }) },
        at,
      ),
  };
}

describe('a token of the cluster', () => {
  test('holds for its audience, and tells whose it is', async () => {
    const issuer = await openIssuer();
    expect(await issuer.judge(await issuer.token())).toEqual({ ok: true, subject: SUBJECT });
  });

  test('is refused without, for another audience, of another issuer, too late, or forged', async () => {
    const issuer = await openIssuer();
    const other = await openIssuer();
    const wrong = [
      undefined,
      'nonsense',
      await issuer.token({ audience: 'another' }),
      await issuer.token({ issuer: 'https://elsewhere.example' }),
      await issuer.token({ until: NOW - 60_000 }),
      await other.token(),
    ];
    for (const token of wrong) {
      const verdict = await issuer.judge(token);
      expect(verdict).toMatchObject({ ok: false });
      expect(verdict).not.toHaveProperty('forbidden');
      expect(verdict).not.toHaveProperty('retryAfter');
    }
  });

  test('counts only for the subjects that are listed; a trailing * stands for any end', async () => {
    const issuer = await openIssuer();
    const token = await issuer.token();
    expect(await issuer.judge(token, [SUBJECT])).toMatchObject({ ok: true });
    expect(await issuer.judge(token, ['system:serviceaccount:shop:*'])).toMatchObject({ ok: true });
    for (const subject of ['system:serviceaccount:other:*', 'system:serviceaccount:shop:brok', ''])
      expect(await issuer.judge(token, [subject])).toMatchObject({ ok: false, forbidden: true });
  });

  test('whose subject is no text fits no subject that is listed', async () => {
    const issuer = await openIssuer();
    for (const subject of [5, true, ['system:serviceaccount:shop:broker'], {}]) {
      const verdict = await issuer.judge(await issuer.token({ subject }), ['system:*']);
      expect(verdict).toMatchObject({ ok: false, forbidden: true });
    }
  });

  test('is judged by kept keys; a key that is new is fetched once', async () => {
    const issuer = await openIssuer();
    for (let i = 0; i < 5; i += 1) await issuer.judge(await issuer.token());
    expect(issuer.asked).toBe(1);
    await issuer.rotate();
    expect(await issuer.judge(await issuer.token())).toMatchObject({ ok: true });
    expect(await issuer.judge(await issuer.token({ kid: 'made-up' }))).toMatchObject({ ok: false });
    expect(issuer.asked).toBe(2);
  });

  test('cannot be judged before the issuer was reached, and can while it is away afterwards', async () => {
    const never = await openIssuer();
    never.goAway();
    expect(await never.judge(await never.token())).toMatchObject({
      ok: false,
      retryAfter: expect.any(Number),
    });
    const known = await openIssuer();
    await known.judge(await known.token());
    known.goAway();
    const later = NOW + 3_600_000;
    expect(await known.judge(await known.token({ until: later + 1000 }), undefined, later)).toMatchObject({
      ok: true,
    });
  });
});
