import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../receiver/observe/log.ts';
import { main } from '../main.ts';
import { type Run, runManifests } from '../run/run-manifests.ts';
import { fakeTerminal } from '../testing/terminal.ts';

const STANDARD = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const RECIPE =
  'hmac: { header: X-S, fields: { timestamp: t, signature: v }, signedContent: "{timestamp}.{url}.{body}" }';

/** Scheme, key, what else the spec says, what else `send` is told. */
const SCHEMES: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['Emporix', 'k', '', []],
  ['EmporixCommerce', 'k', '', []],
  ['GitHub', 'k', '', ['--event', 'push']],
  ['GitLab', 'k', '', []],
  ['Stripe', 'k', '', []],
  ['Slack', 'k', '', []],
  ['Shopify', 'k', '', ['--event', 'orders/create']],
  ['StandardWebhooks', STANDARD, '', []],
  ['Twilio', 'k', 'publicUrl: https://hooks.example.com', []],
  ['OJS', 'k', '', []],
  ['Convoy', 'k', '', []],
  ['SignedHeaders', STANDARD, '', []],
  ['Basic', 'user:password', '', []],
  ['Bearer', 'k', '', []],
  ['HMAC', 'k', RECIPE, []],
];

function manifest([scheme, key, more]: (typeof SCHEMES)[number]): string {
  const name = scheme.toLowerCase();
  return `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: shop }
stringData: { key: "${key}" }
---
apiVersion: signalbox.dev/v1alpha1
kind: WebhookSecret
metadata: { name: ${name}, namespace: shop }
spec:
  scheme: ${scheme}
  secrets: [{ name: current, secretKeyRef: { name: ${name}, key: key } }]
  ${more}
`;
}

const JWT = `
apiVersion: signalbox.dev/v1alpha1
kind: WebhookSecret
metadata: { name: jwt, namespace: shop }
spec:
  scheme: JWT
  jwt: { issuer: https://issuer.example, audiences: [a], jwksUri: "http://127.0.0.1:1/jwks.json" }
`;

let folder: string;
let file: string;
let run: Run;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-send-'));
  file = join(folder, 'all.yaml');
  await writeFile(file, [...SCHEMES.map(manifest), JWT].join('---'));
  const free = { host: '127.0.0.1', port: 0 };
  run = await runManifests(
    {
      paths: [file],
      dataDirectory: join(folder, 'data'),
      public: free,
      cluster: free,
      admin: free,
      publicUrl: undefined,
      resolve: new Map(),
      egress: { allowLoopback: true },
      adminToken: 't',
      log: createLog('error', { write: () => undefined }),
    },
    fakeTerminal(),
  );
});

afterAll(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

async function send(...args: readonly string[]) {
  const terminal = fakeTerminal();
  const code = await main(['send', '-f', file, '--url', run.publicUrl, ...args], terminal);
  return { code, said: [...terminal.outLines, ...terminal.errLines].join('\n') };
}

describe('signalbox send', () => {
  it.each(SCHEMES)('signs as its senders do: %s', async (scheme, _key, _more, extra) => {
    const to = `shop/${scheme.toLowerCase()}`;
    const data = ['--data', '{"id":"1","type":"a","object_kind":"push"}'];
    const payload = await send('--to', to, ...data, ...extra);
    expect(payload, payload.said).toMatchObject({ code: 0 });
    // Where the provider's headers are not signed, only the mode whose attributes are in the body makes a CloudEvent.
    for (const mode of ['structured', 'binary']) {
      const event = await send(
        '--to',
        to,
        '--type',
        'a.b',
        '--mode',
        mode,
        '--data',
        '{"a":1}',
        '--subject',
        'Zoë',
      );
      expect(event, event.said).toMatchObject({ code: 0 });
    }
  });

  it('sends a form as Twilio does', async () => {
    const form = [
      '--content-type',
      'application/x-www-form-urlencoded',
      '--data',
      'MessageSid=SM1&Body=a%20b',
    ];
    expect(await send('--to', 'shop/twilio', ...form)).toMatchObject({ code: 0 });
  });

  it('sends a token as it was given, and says that it makes none', async () => {
    const none = await send('--to', 'shop/jwt', '--data', '{}');
    expect(none).toMatchObject({
      code: 2,
      said: expect.stringContaining("-H 'Authorization: Bearer TOKEN'"),
    });
    const wrong = await send('--to', 'shop/jwt', '--data', '{}', '-H', 'Authorization: Bearer x.y.z');
    expect(wrong).toMatchObject({ code: 1, said: expect.stringContaining('401') });
  });
});
