import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Listener } from '../receiver/http/listener.ts';
import { type Arrival, openTarget } from './listen/target.ts';
import { main } from './main.ts';
import { type Inbox, inbox } from './testing/inbox.ts';
import { launch } from './testing/launch.ts';
import { fakeTerminal } from './testing/terminal.ts';

const ANY_PORTS = ['--public', '127.0.0.1:0', '--cluster', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
/** A process has to start in some of them, on machines that may be busy. */
const PATIENCE = 120_000;

let target: Listener;
let arrivals: Inbox<Arrival>;
let folder: string;

beforeAll(async () => {
  arrivals = inbox();
  target = await openTarget({
    address: { host: '127.0.0.1', port: 0 },
    fail: 0,
    arrived: (arrival) => arrivals.add(arrival),
    now: () => new Date(),
    id: () => 'job-1',
  });
});

afterAll(async () => {
  await target.close(0);
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-run-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function manifests(type: string, more = ''): string {
  return `
apiVersion: v1
kind: Secret
metadata: { name: hooks, namespace: shop }
stringData: { key: s3cr3t }
---
apiVersion: signalbox.dev/v1alpha1
kind: WebhookSecret
metadata: { name: hooks, namespace: shop }
spec:
  scheme: Emporix
  secrets: [{ name: current, secretKeyRef: { name: hooks, key: key } }]
---
apiVersion: signalbox.dev/v1alpha1
kind: EventTrigger
metadata: { name: pack, namespace: shop }
spec:
  from: [{ webhookSecret: { name: hooks } }]
  filters: [{ exact: { type: ${type} } }]
  target: { job: { uri: "${target.url}", type: order.pack } }
${more}`;
}

/** Sends by the command itself, in this process. */
async function sent(
  file: string,
  url: string,
  ...args: string[]
): Promise<{ readonly exit: number; readonly told: string }> {
  const terminal = fakeTerminal();
  const exit = await main(['send', '-f', file, '--url', url, ...args], terminal);
  return { exit, told: [...terminal.outLines, ...terminal.errLines].join('\n') };
}

async function occupied(): Promise<{ readonly server: Server; readonly address: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('signalbox run', { timeout: PATIENCE }, () => {
  it('turns a signed event into a job, applies edits at once, and keeps the last good version of a bad one', async () => {
    const file = join(folder, 'shop.yaml');
    const data = join(folder, 'data');
    await writeFile(
      file,
      manifests('order.paid', '---\n{ apiVersion: v1, kind: Service, metadata: { name: ojs } }\n'),
    );
    const run = launch(['run', '-f', file, '--data', data, ...ANY_PORTS]);
    await run.line(/^Ready/);
    expect(run.lines).toContain('Service default/ojs: passed over, only a cluster runs this kind.');
    const endpoint = /(http:\S+)\/e\/shop\.hooks$/.exec(await run.line(/\/e\/shop\.hooks/));
    const url = endpoint?.[1] ?? '';

    const first = await sent(file, url, '--type', 'order.paid', '--id', 'first', '--data', '{"order":"A-1"}');
    expect(first).toMatchObject({ exit: 0, told: expect.stringContaining('taken by  shop/pack') });
    const { job } = await arrivals.next((arrival) => JSON.stringify(arrival.job?.meta).includes('first'));
    expect(job).toMatchObject({
      type: 'order.pack',
      args: [{ order: 'A-1' }],
      meta: { trigger_event_id: 'first' },
    });

    const again = await sent(file, url, '--type', 'order.paid', '--id', 'first', '--data', '{"order":"A-1"}');
    expect(again.told).toContain('seen before');
    const unwanted = await sent(file, url, '--type', 'order.placed', '--id', 'second');
    expect(unwanted).toMatchObject({ exit: 0, told: expect.stringContaining('no trigger') });

    await writeFile(file, manifests('order.placed'));
    await run.line(/^Applied revision 2: EventTrigger shop\/pack changed\.$/);
    await writeFile(file, `${manifests('order.placed')} - [`);
    await run.line(/What it held before keeps running\.$/);
    await writeFile(file, manifests('order.placed'));
    await run.line(/^Settled, with nothing to apply: revision 2 keeps running\.$/);
    await sent(file, url, '--type', 'order.placed', '--id', 'second');
    await arrivals.next((arrival) => JSON.stringify(arrival.job?.meta).includes('second'));

    await writeFile(file, manifests('order.placed', '  filtres: []\n'));
    await run.line(/^EventTrigger shop\/pack: spec\.filtres: is an unknown field: did you mean filters\?$/);
    await run.line(/^EventTrigger shop\/pack: its last good version keeps running\.$/);
    await writeFile(file, `${manifests('order.placed')}  - [`);
    await run.line(/shop\.yaml:\d+: is not valid YAML .* What it held before keeps running\.$/);
    await writeFile(join(folder, 'good.yaml'), manifests('order.placed'));
    const third = await sent(join(folder, 'good.yaml'), url, '--type', 'order.placed', '--id', 'third');
    expect(third.told).toContain('taken by  shop/pack');
    await arrivals.next((arrival) => JSON.stringify(arrival.job?.meta).includes('third'));

    const admin = /http:\S+/.exec(await run.line(/^ {2}admin /))?.[0] ?? '';
    const terminal = fakeTerminal({ SIGNALBOX_ADMIN: admin });
    expect(await main(['events', '--data', data, '--id', 'third', '-o', 'json'], terminal)).toBe(0);
    expect(JSON.parse(terminal.outLines.join(''))).toMatchObject({
      items: [{ attributes: { id: 'third' } }],
    });
    const table = fakeTerminal({ SIGNALBOX_ADMIN: admin });
    expect(await main(['deliveries', '--data', data, '--trigger', 'shop/pack'], table)).toBe(0);
    expect(table.outLines[0]).toMatch(/DELIVERY +ACCEPTED +TRIGGER/);
    expect(table.outLines.filter((line) => line.includes('shop/pack'))).toHaveLength(3);
    const refused = fakeTerminal({ SIGNALBOX_ADMIN: admin, SIGNALBOX_ADMIN_TOKEN: 'wrong' });
    expect(await main(['dead-letters'], refused)).toBe(1);
    expect(refused.errLines[0]).toContain('does not take this token');

    const wrong = await main(
      ['send', '--url', `${url}/e/shop.hooks`, '--scheme', 'Emporix', '--secret', 'guess', '--data', '{}'],
      fakeTerminal(),
    );
    expect(wrong).toBe(1);
    const rejected = fakeTerminal({ SIGNALBOX_ADMIN: admin });
    expect(await main(['events', '--rejected', '--data', data, '--code', 'unauthorized'], rejected)).toBe(0);
    expect(rejected.outLines[0]).toMatch(/REFUSED +ENTRANCE +STATUS +KEY/);
    expect(rejected.outLines[1]).toMatch(/WebhookSecret\/shop\/hooks +401 +none/);
    const asJson = fakeTerminal({ SIGNALBOX_ADMIN: admin });
    expect(await main(['events', '--rejected', '--data', data, '-o', 'json'], asJson)).toBe(0);
    expect(JSON.parse(asJson.outLines.join(''))).toMatchObject({ items: [{ status: 401 }] });
    // A filter of the other list would be ignored in silence.
    const mixed = fakeTerminal({ SIGNALBOX_ADMIN: admin });
    expect(await main(['events', '--rejected', '--type', 't'], mixed)).toBe(2);
    expect(mixed.errLines[0]).toContain('--type');

    expect(await run.stop()).toBe(0);
    expect(run.lines.join('\n')).not.toContain('s3cr3t');

    const good = join(folder, 'good.yaml');
    await using anew = launch(['run', '-f', good, '--data', data, '--keep-rejected', '30d', ...ANY_PORTS]);
    const moved = /http:\S+/.exec(await anew.line(/^ {2}admin /))?.[0] ?? '';
    const kept = fakeTerminal({ SIGNALBOX_ADMIN: moved });
    expect(await main(['events', '--rejected', '--data', data], kept)).toBe(0);
    expect(kept.outLines[1]).toMatch(/WebhookSecret\/shop\/hooks +401 +none/);
  });

  it('sends nowhere that --egress-deny closes, though loopback is open', async () => {
    const file = join(folder, 'shop.yaml');
    await writeFile(file, manifests('order.paid'));
    const where = ['-f', file, '--data', join(folder, 'data'), ...ANY_PORTS];
    const closed = launch(['run', ...where, '--egress-deny', '127.0.0.1/32']);
    expect(await closed.line(/egress policy denies/)).toContain('EventTrigger shop/');
    await closed.stop();
  });

  it('runs what is right in files that also hold what is wrong', async () => {
    await writeFile(join(folder, 'a.yaml'), manifests('order.paid'));
    await writeFile(join(folder, 'b.yaml'), 'kind: [\n');
    await writeFile(
      join(folder, 'c.yaml'),
      manifests('order.paid').replaceAll('name: hooks,', 'name: none,').split('---')[1]!,
    );
    const run = launch(['run', '-f', folder, '--data', join(folder, 'data'), ...ANY_PORTS]);
    await run.line(/^Ready/);
    expect(run.lines.join('\n')).toMatch(/b\.yaml:\d+: is not valid YAML/);
    expect(run.lines.join('\n')).toMatch(/WebhookSecret shop\/none: spec\.secrets\[0\]/);
    expect(await run.stop()).toBe(0);
  });

  it('ends with 1 and says why: nothing usable, a port in use, a data directory that cannot be', async () => {
    const file = join(folder, 'shop.yaml');
    const data = join(folder, 'data');
    await writeFile(file, manifests('order.paid'));
    await writeFile(join(folder, 'empty.yaml'), '# nothing\n');
    await writeFile(join(folder, 'occupied'), '');
    const { server, address } = await occupied();

    async function failure(...args: string[]): Promise<string> {
      const terminal = fakeTerminal();
      expect(await main(['run', ...ANY_PORTS.slice(2), '--public', '127.0.0.1:0', ...args], terminal)).toBe(
        1,
      );
      return terminal.errLines.at(-1) ?? '';
    }
    const empty = join(folder, 'empty.yaml');
    expect(await failure('-f', empty, '--data', data)).toBe(
      `Nothing in ${empty} can run; give .yaml, .yml or .json files that hold manifests, or a folder of them, with -f.`,
    );
    expect(await failure('-f', join(folder, 'missing.yaml'), '--data', data)).toMatch(
      / can run; correct what is named above, or give other files with -f\.$/,
    );
    expect(await failure('-f', file, '--data', join(folder, 'occupied'))).toBe(
      `The journal's directory ${join(folder, 'occupied')} is a file; give another directory. The directory is what --data names.`,
    );
    expect(await failure('-f', file, '--data', '')).toBe(
      "The journal's directory has an empty name; give one. The directory is what --data names.",
    );
    expect(await failure('-f', file, '--data', join(folder, 'occupied', 'data'))).toMatch(
      /^The journal's directory \S+ can't be written .*--data names\.$/,
    );
    const busy = fakeTerminal();
    expect(
      await main(['run', ...ANY_PORTS.slice(2), '-f', file, '--data', data, '--public', address], busy),
    ).toBe(1);
    expect(busy.errLines).toEqual([
      `The public listener cannot use ${address}: the port is in use; free it, or choose another with --public.`,
    ]);
    server.close();
  });
});

describe('signalbox send', () => {
  it('tells why fetch refuses a port', async () => {
    const terminal = fakeTerminal();
    const url = 'http://127.0.0.1:1/e/x';
    expect(
      await main(['send', '--url', url, '--scheme', 'Bearer', '--secret', 'a', '--data', '{}'], terminal),
    ).toBe(3);
    expect(terminal.errLines).toEqual([`Cannot reach ${url}: the connection failed (bad port).`]);
  });

  it('ends with 3 where nothing listens', async () => {
    const { server, address } = await occupied();
    server.close();
    await once(server, 'close');
    const terminal = fakeTerminal();
    const args = [
      'send',
      '--url',
      `http://${address}/e/x`,
      '--scheme',
      'Stripe',
      '--secret',
      'k',
      '--data',
      '{}',
    ];
    expect(await main(args, terminal)).toBe(3);
    expect(terminal.errLines[0]).toBe(
      `Cannot reach http://${address}/e/x: nothing listens there; start \`signalbox run\` first, or say where it listens with --url.`,
    );
  });

  it.each([
    [
      ['--data', '{}'],
      'Say where to send and how to sign: manifests with -f, or --url, --scheme and --secret.',
    ],
    [
      ['--url', 'http://h/e/x', '--scheme', 'Stripe', '--data', '{}'],
      'Give the key to sign with, either with --secret or with --secret-file.',
    ],
    [
      ['--url', 'http://h/e/x', '--scheme', 'Strip', '--secret', 'k', '--data', '{}'],
      /^This cannot be signed: "Strip" is not supported/,
    ],
    [
      ['--url', 'http://h', '--scheme', 'Stripe', '--secret', 'k', '--data', '{}'],
      '--url http://h names no endpoint; add its path, for example http://h/e/shop.stripe.',
    ],
    [
      ['--url', 'http://h/e/x', '--scheme', 'GitHub', '--secret', 'k', '--data', '{}'],
      /^GitHub names the event in a header/,
    ],
    [['--url', 'http://h/e/x', '--scheme', 'Stripe', '--secret', 'k'], /^There is nothing to send/],
    [
      ['--subject', 'x', '--data', '{}'],
      '--source, --subject and --attribute belong to a CloudEvent; add its --type.',
    ],
    [['--type', 't', '--mode', 'batch'], '--mode batch is not known; write structured or binary.'],
    [['--type', 't', '--attribute', 'x'], '--attribute x is not understood; write name=value.'],
  ])('tells %j how to be written', async (args, message) => {
    const terminal = fakeTerminal();
    expect(await main(['send', ...args], terminal)).toBe(2);
    expect(terminal.errLines[0]).toMatch(message);
  });
});
