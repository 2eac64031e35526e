import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { openStage } from './testing.ts';

const ISSUER = 'https://kubernetes.default.svc';
const DEDUP = { enabled: true, windowMs: 60_000 };

test('a cluster address with an audience takes events by token alone; one without takes all', async () => {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const stage = await openStage({
    issuer: {
      configuration: async () => JSON.stringify({ issuer: ISSUER, jwks_uri: 'https://10.0.0.1/keys' }),
      keys: async () => JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'a' }] }),
    },
  });
  const cluster = { audience: 'signalbox', subjects: ['system:serviceaccount:shop:*'], dedup: DEDUP };
  const from = { webhookSecrets: [], eventBridges: [] };
  stage.apply(
    stage.toSink({ name: 'guarded', from: { ...from, cluster } }),
    stage.toSink({ name: 'open', from: { ...from, cluster: { dedup: DEDUP } } }),
  );
  const token = (subject: string) =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'RS256', kid: 'a' })
      .setIssuer(ISSUER)
      .setAudience('signalbox')
      .setSubject(subject)
      .setExpirationTime('1 min')
      .sign(privateKey);
  const send = async (name: string, authorization?: string) => {
    const answer = await fetch(`${stage.receiver.addresses.cluster}/triggers/shop/${name}`, {
      method: 'POST',
      headers: {
        'ce-specversion': '1.0',
        'ce-id': `${name}-1`,
        'ce-type': 'order.paid',
        'ce-source': '/test',
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
    return { status: answer.status, text: await answer.text() };
  };

  expect(await send('open')).toEqual({ status: 202, text: '' });
  expect(await send('guarded')).toMatchObject({ status: 401 });
  expect(await send('guarded', 'Bearer nonsense')).toMatchObject({ status: 401 });
  const other = `Bearer ${await token('system:serviceaccount:else:x')}`;
  expect(await send('guarded', other)).toMatchObject({ status: 403 });
  expect(await send('guarded', `Bearer ${await token('system:serviceaccount:shop:x')}`)).toEqual({
    status: 202,
    text: '',
  });
  await stage.delivered(2);
  const causes = (await stage.rejected()).map(({ status, cause }) => `${status} ${cause}`);
  expect(causes.toSorted()).toEqual([
    expect.stringMatching(/^401 header Authorization/),
    expect.stringMatching(/^401 the token is no JWT/),
    '403 subject system:serviceaccount:else:x is not in cluster.subjects',
  ]);
  await stage.close();
});
