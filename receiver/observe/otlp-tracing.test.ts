import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answering, type Behaviour, startTarget } from '../deliver/testing.ts';
import { endpointEntry, POLICY } from '../routing/testing.ts';
import { openStage, post, signature } from '../testing.ts';
import { createOtlpTracing } from './otlp-tracing.ts';
import { parseTraceParent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SENDER = '00f067aa0ba902b7';
const EVENTS_OWN = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** A collector of OTLP over HTTP, in JSON. */
async function collector() {
  const exports: Export[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/v1/traces') exports.push(JSON.parse(Buffer.concat(chunks).toString()) as Export);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exports,
    spans: () =>
      exports.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
  };
}

async function stageTo(url: string, behave: Behaviour) {
  const target = await startTarget(behave);
  closers.push(() => Promise.resolve(target[Symbol.asyncDispose]()));
  const stage = await openStage({
    tracing: createOtlpTracing({ endpoint: url, ratio: 1, timeoutMs: 2000, exported: () => undefined }),
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= stage.close());
  closers.push(close);
  const apply = (suspend: boolean) =>
    stage.apply(
      endpointEntry(),
      stage.toSink({
        suspend,
        destination: { kind: 'sink', url: target.url, headers: [] },
        policy: { ...POLICY, backoffDelayMs: 5 },
      }),
    );
  const send = (flags: string) =>
    post(`${stage.receiver.addresses.public}/e/shop.hooks`, 'x', {
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/s',
      'ce-type': 't',
      'ce-traceparent': EVENTS_OWN,
      'content-type': 'text/plain',
      traceparent: `00-${TRACE}-${SENDER}-${flags}`,
      tracestate: 'vendor=1',
      ...signature('x'),
    });
  return { target, stage, apply, send, close };
}

describe('a trace', () => {
  it('goes from the sender through each attempt to the target, and the event’s own leaves as it came', async () => {
    const collected = await collector();
    const { target, apply, send, close } = await stageTo(collected.url, (response, _request, count) =>
      response.writeHead(count === 1 ? 500 : 202).end(),
    );
    apply(false);
    expect((await send('01')).status).toBe(202);
    await target.got(2);
    await close();

    const spans = collected.spans();
    const received = spans.find(({ name }) => name === 'receive WebhookSecret/shop/hooks');
    expect(received).toMatchObject({ traceId: TRACE, parentSpanId: SENDER });
    const attempts = spans.filter(({ name }) => name === 'deliver shop/forward');
    expect(attempts).toHaveLength(2);
    for (const attempt of attempts)
      expect(attempt).toMatchObject({ traceId: TRACE, parentSpanId: received?.spanId });
    expect(attempts.map(({ status }) => status.message)).toEqual(['answered 500', undefined]);
    const seen = target.received.map(({ headers }) => parseTraceParent(String(headers['traceparent'])));
    expect(seen).toEqual(attempts.map(({ spanId }) => ({ traceId: TRACE, spanId, flags: 1 })));
    for (const { headers } of target.received)
      expect(headers).toMatchObject({ 'ce-traceparent': EVENTS_OWN, tracestate: 'vendor=1' });
    expect(collected.exports[0]?.resourceSpans[0]?.resource.attributes).toContainEqual({
      key: 'service.name',
      value: { stringValue: 'signalbox' },
    });
  });

  it('goes on where the delivery is read back from the journal', async () => {
    const collected = await collector();
    const { target, apply, send, close } = await stageTo(collected.url, answering(202));
    apply(true);
    expect((await send('01')).status).toBe(202);
    apply(false);
    await target.got(1);
    await close();
    const received = collected.spans().find(({ name }) => name.startsWith('receive'));
    const attempt = collected.spans().find(({ name }) => name.startsWith('deliver'));
    expect(attempt).toMatchObject({ traceId: TRACE, parentSpanId: received?.spanId });
    expect(target.received[0]?.headers['traceparent']).toBe(`00-${TRACE}-${attempt?.spanId}-01`);
  });

  it('that the sender does not record is handed on, and not recorded here either', async () => {
    const collected = await collector();
    const { target, apply, send, close } = await stageTo(collected.url, answering(202));
    apply(false);
    await send('00');
    await target.got(1);
    await close();
    expect(collected.spans()).toEqual([]);
    expect(target.received[0]?.headers['traceparent']).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
  });
});

describe('without a collector', () => {
  it('nothing is added to what leaves', async () => {
    const target = await startTarget(answering(202));
    const stage = await openStage();
    closers.push(
      () => Promise.resolve(target[Symbol.asyncDispose]()),
      () => stage.close(),
    );
    stage.apply(
      endpointEntry(),
      stage.toSink({ destination: { kind: 'sink', url: target.url, headers: [] } }),
    );
    await post(`${stage.receiver.addresses.public}/e/shop.hooks`, 'x', {
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/s',
      'ce-type': 't',
      traceparent: `00-${TRACE}-${SENDER}-01`,
      ...signature('x'),
    });
    await target.got(1);
    expect(target.received[0]?.headers['traceparent']).toBeUndefined();
  });
});
