import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { API_VERSION } from '../../crds/group.ts';
import { createLimit } from '../../receiver/kube/limit.ts';
import { type Bundled, type ControlPlane, openControlPlane } from './control-plane.ts';
import { percentile } from './percentile.ts';
import { cpuSeconds, peakMegabytes, residentMegabytes } from './process-cost.ts';

/*
 * `npm run bench:propagation`: how long a changed EventTrigger takes from `kubectl apply` returning to the first event
 * that it takes, with many triggers beside it, on a real API server with operator and receiver as processes of their own;
 * and what the operator costs. Events flow all the while and are counted: refused, misrouted, lost.
 */

const TRIGGERS = Number(process.env['BENCH_TRIGGERS'] ?? 10_000);
const EDITS = Number(process.env['BENCH_EDITS'] ?? 200);
const IDLE_SECONDS = 30;
const STEADY_EVERY_MS = 10;

const lines: string[] = [];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
  lines.push(text);
}

function manifest(name: string, type: string, sink: string): object {
  return {
    apiVersion: API_VERSION,
    kind: 'EventTrigger',
    metadata: { name, namespace: 'bench' },
    spec: {
      from: [{ webhookSecret: { name: 'hooks' } }],
      filters: [{ exact: { type } }],
      target: { sink: { uri: sink } },
    },
  };
}

interface Taken {
  readonly status: number;
  readonly triggers: readonly string[];
}

async function send(url: string, type: string, id: string): Promise<Taken> {
  const body = JSON.stringify({ id });
  const answer = await fetch(`${url}/e/bench.hooks`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-type': type,
      'ce-source': '/bench',
      'ce-id': id,
      'x-emporix-hmac': createHmac('sha256', 's3cr3t').update(body).digest('base64'),
    },
    body,
  });
  const json = (await answer.json()) as { events?: { triggers: string[] }[] };
  return { status: answer.status, triggers: json.events?.[0]?.triggers ?? [] };
}

/** One metric's value, or the sum over its labels. */
async function metric(operator: Bundled, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`${operator.told['admin']}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(100);
}

async function requests(operator: Bundled): Promise<string> {
  const parts: string[] = [];
  for (const method of ['GET', 'PATCH', 'POST', 'PUT']) {
    const count = await metric(operator, 'signalbox_operator_api_requests_total', `method="${method}"`);
    if (count > 0) parts.push(`${count} ${method}`);
  }
  return parts.join(', ');
}

async function fill(plane: ControlPlane, sink: string): Promise<void> {
  const { namespace } = plane;
  await plane.call('POST', `/api/v1/namespaces/${namespace}/secrets`, {
    metadata: { name: 'hooks' },
    stringData: { current: 's3cr3t' },
  });
  const own = `/apis/${API_VERSION}/namespaces/${namespace}`;
  await plane.call('POST', `${own}/webhooksecrets`, {
    apiVersion: API_VERSION,
    kind: 'WebhookSecret',
    metadata: { name: 'hooks' },
    spec: {
      scheme: 'Emporix',
      secrets: [{ name: 'current', secretKeyRef: { name: 'hooks', key: 'current' } }],
    },
  });
  const limit = createLimit(32);
  const names = ['steady', 'edited', ...Array.from({ length: TRIGGERS - 2 }, (_, i) => `other-${i}`)];
  await Promise.all(
    names.map((name) =>
      limit(() => plane.call('POST', `${own}/eventtriggers`, manifest(name, `type.${name}`, sink))),
    ),
  );
}

/** Sends one event after the other for as long as it runs, and looks at each answer. */
function steadyFlow(url: string) {
  const told = { sent: 0, refused: 0, misrouted: 0 };
  const acknowledged = new Set<string>();
  let running = true;
  const ended = (async () => {
    while (running) {
      const id = `steady-${told.sent}`;
      told.sent += 1;
      const { status, triggers } = await send(url, 'type.steady', id).catch(() => ({
        status: 0,
        triggers: [],
      }));
      if (status !== 202) told.refused += 1;
      else if (triggers.length !== 1 || triggers[0] !== 'bench/steady') told.misrouted += 1;
      else acknowledged.add(id);
      await pause(STEADY_EVERY_MS);
    }
  })();
  return {
    told,
    acknowledged,
    async stop() {
      running = false;
      await ended;
    },
  };
}

async function edits(plane: ControlPlane, sink: string, arrived: ReadonlySet<string>): Promise<void> {
  const url = plane.receiver.told['public'] ?? '';
  const flow = steadyFlow(url);
  const took = new Float64Array(EDITS);
  const promised = new Set<string>();
  for (let i = 0; i < EDITS; i += 1) {
    const type = `edited.v${i}`;
    await plane.kubectl(['apply', '--filename=-'], JSON.stringify(manifest('edited', type, sink)));
    const returned = performance.now();
    for (let tries = 0; ; tries += 1) {
      // An event that nobody takes keeps no id: it is matched anew each time.
      const { triggers } = await send(url, type, `edit-${i}`);
      if (triggers.includes('bench/edited')) break;
      if (tries > 10_000) throw new Error(`edit ${i} never went live`);
    }
    took[i] = performance.now() - returned;
    promised.add(`edit-${i}`);
  }
  await flow.stop();
  for (const id of flow.acknowledged) promised.add(id);
  const patience = performance.now() + 30_000;
  const lost = () => [...promised].filter((id) => !arrived.has(id)).length;
  while (lost() > 0 && performance.now() < patience) await pause(100);
  took.sort();
  const ms = (share: number) => percentile(took, share).toFixed(0);
  say(
    `| apply → live, p50 / p90 / p99 / most, ${EDITS} edits | ${ms(0.5)} / ${ms(0.9)} / ${ms(0.99)} / ${ms(1)} ms |`,
  );
  const { sent, refused, misrouted } = flow.told;
  say(
    `| meanwhile ${sent} other events: refused / misrouted / lost | ${refused} / ${misrouted} / ${lost()} |`,
  );
}

async function main(): Promise<void> {
  const arrived = new Set<string>();
  const far = createServer((request, response) => {
    arrived.add(String(request.headers['ce-id']));
    request.resume().on('end', () => response.writeHead(202).end());
  }).listen(0, '127.0.0.1');
  await once(far, 'listening');
  const sink = `http://127.0.0.1:${(far.address() as AddressInfo).port}/in`;
  await using plane = await openControlPlane();
  process.stderr.write(`making ${TRIGGERS} triggers\n`);
  await fill(plane, sink);

  say(
    `${TRIGGERS} triggers, ${cpus().length} cores shared by API server, etcd, operator, receiver and the senders.`,
  );
  say('');
  say('|  |  |');
  say('| --- | --- |');
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const isReady = async (operator: Bundled) =>
    (await metric(operator, 'signalbox_operator_resources', 'ready="True"')) === TRIGGERS + 1;
  const memory = (one: Bundled) =>
    `${residentMegabytes(one.pid).toFixed(0)} MB, at most ${peakMegabytes(one.pid).toFixed(0)} MB`;
  const serverCpu = () => plane.server.pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const serverBefore = serverCpu();
  let operator = await plane.startOperator();
  await until(() => isReady(operator));
  say(
    `| first apply → all Ready | ${seconds(operator.ageMs())}, ${cpuSeconds(operator.pid).toFixed(1)} CPU s, ${(serverCpu() - serverBefore).toFixed(1)} of API server and etcd |`,
  );
  say(`| requests to the API server for it | ${await requests(operator)} |`);
  say(`| operator's memory after it | ${memory(operator)} |`);
  await operator.stop();

  operator = await plane.startOperator();
  const looked = () => metric(operator, 'signalbox_operator_reconcile_seconds_count');
  await until(
    async () =>
      (await looked()) > TRIGGERS && (await metric(operator, 'signalbox_operator_queue_length')) === 0,
  );
  say(
    `| restart → all confirmed | ${seconds(operator.ageMs())}, ${cpuSeconds(operator.pid).toFixed(1)} CPU s |`,
  );
  say(`| requests to the API server for it | ${await requests(operator)} |`);

  await edits(plane, sink, arrived);

  const before = { operator: cpuSeconds(operator.pid), receiver: cpuSeconds(plane.receiver.pid) };
  await pause(IDLE_SECONDS * 1000);
  const idle = ((cpuSeconds(operator.pid) - before.operator) / IDLE_SECONDS) * 100;
  const idleReceiver = ((cpuSeconds(plane.receiver.pid) - before.receiver) / IDLE_SECONDS) * 100;
  say(`| operator: memory, idle | ${memory(operator)}, ${idle.toFixed(2)} % of a core |`);
  say(`| receiver: memory, idle | ${memory(plane.receiver)}, ${idleReceiver.toFixed(2)} % of a core |`);
  far.closeAllConnections();
  far.close();
  if (process.argv.includes('--write')) write(lines.join('\n'));
}

/** Writes the table between the markers of docs/performance.md. */
function write(report: string): void {
  const path = 'docs/performance.md';
  const page = readFileSync(path, 'utf8');
  const [head, tail] = [page.indexOf('<!-- propagation -->'), page.indexOf('<!-- /propagation -->')];
  writeFileSync(path, `${page.slice(0, head)}<!-- propagation -->\n\n${report}\n\n${page.slice(tail)}`);
}

await main();
