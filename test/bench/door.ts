import { randomUUID } from 'node:crypto';
import { buildRuntime } from '../../receiver/routing/runtime.ts';
import { endpointEntry } from '../../receiver/routing/testing.ts';
import { compileSigner } from '../../receiver/verify/sign.ts';
import type { SignedRequest } from '../../receiver/verify/verifier.ts';
import { median } from './percentile.ts';

/*
 * What the door costs a request, in one process: its signature over the raw bytes, and what it becomes as an event.
 * `node test/bench/door.ts` prints it alone.
 */

const ROUNDS = 15;
const REQUESTS = 20_000;
const NOW = 1_800_000_000_000;
const URL = 'https://hooks.example.com/e/shop.hooks';
const ORDER = JSON.stringify({ orderId: 'EON1075', amount: 4999, note: 'x'.repeat(450) });
const BINARY = {
  'ce-specversion': '1.0',
  'ce-type': 'bench.order',
  'ce-source': '/bench',
  'ce-id': 'order-1075',
  'content-type': 'application/json',
};
const PAYLOAD = { 'content-type': 'application/json' };

interface Case {
  readonly scheme: string;
  readonly sends: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const binary = (scheme: string): Case => ({ scheme, sends: 'binary event', headers: BINARY, body: ORDER });
const payload = (scheme: string, body: object, headers: Readonly<Record<string, string>> = {}): Case => ({
  scheme,
  sends: 'its own payload',
  headers: { ...PAYLOAD, ...headers },
  body: JSON.stringify({ ...body, note: 'x'.repeat(450) }),
});

const CASES: readonly Case[] = [
  binary('Emporix'),
  binary('StandardWebhooks'),
  binary('SignedHeaders'),
  binary('OJS'),
  payload('Stripe', { id: 'evt_1', type: 'charge.succeeded', data: { object: { id: 'ch_1' } } }),
  payload(
    'GitHub',
    { ref: 'refs/heads/main', repository: { html_url: 'https://github.example/a/b' } },
    { 'x-github-event': 'push', 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' },
  ),
  payload('Shopify', { id: 1 }, { 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': 'w-1' }),
  payload('Slack', { type: 'event_callback', event_id: 'Ev1', team_id: 'T1', event: { type: 'message' } }),
  payload('Convoy', { id: '1', type: 'charge.success' }),
];

/** As a server reads them. */
const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** A request of the case as the scheme's own sender signs it, and the endpoint that takes it. */
function prepared({ scheme, headers, body }: Case) {
  const keys = [
    { name: 'current', secret: Buffer.from('whsec_c2VjcmV0LWtleS1zZWNyZXQta2V5').toString('base64') },
  ];
  const signer = compileSigner({ scheme, keys });
  if (!signer.ok) throw new Error(JSON.stringify(signer.findings));
  const bytes = Buffer.from(body);
  const signature = signer.value.sign({ headers, body: bytes, url: URL, id: 'msg-1', timestamp: NOW });
  const entry = endpointEntry({ scheme, keys, publicUrl: 'https://hooks.example.com' });
  const endpoint = buildRuntime({ version: 1, revision: 1, entries: [entry] }).endpoint(entry.source);
  if (endpoint === undefined) throw new Error(`no endpoint for ${scheme}`);
  const request: SignedRequest = {
    method: 'POST',
    url: '/e/shop.hooks',
    headers: { ...headers, ...lowerCase(signature ?? {}) },
    body: bytes,
  };
  return { endpoint, request };
}

/** Microseconds that a request of the case spends at the door. */
function cost(one: Case): number {
  const { endpoint, request } = prepared(one);
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    for (let i = 0; i < REQUESTS; i++) {
      const verdict = endpoint.verifier.verify(request, NOW);
      if (verdict instanceof Promise || !verdict.ok)
        throw new Error(`${one.scheme}: the signature does not hold`);
      if (endpoint.read(request, NOW, randomUUID).length !== 1)
        throw new Error(`${one.scheme}: not one event`);
    }
    rounds.push(((performance.now() - started) * 1000) / REQUESTS);
  }
  // The first rounds are the compiler's.
  return median(rounds.slice(3));
}

/** Measures the door scheme by scheme; answers the rows of a table `what, of what, cost`. Takes a few seconds. */
export function measureDoor(): readonly string[] {
  return CASES.map((one) => `| door | ${one.scheme}, ${one.sends} | ${cost(one).toFixed(1)} µs |`);
}

if (import.meta.main) {
  process.stdout.write(`| | | cost |\n|---|---|---|\n${measureDoor().join('\n')}\n`);
}
