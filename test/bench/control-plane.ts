import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ADMIN_TOKEN_SECRET } from '../../operator/confirm/admin-token.ts';
import { ADMIN_TOKEN_KEY } from '../../receiver/http/admin-token.ts';
import { findAssets } from '../apiserver/assets.ts';
import { type ApiAnswer, createApi, kubectl } from '../apiserver/connection.ts';
import { applyDefinitions } from '../apiserver/definitions.ts';
import { type ApiServer, startApiServer } from '../apiserver/server.ts';
import { bundleCommand } from './bundle-command.ts';

/** The operator as the chart starts it. */
const OPERATOR = ['--max-semi-space-size=2', '--single-threaded-gc', 'dist/signalbox.js', 'operator'];
const SERVICE = 'signalbox-receiver';
const NAMESPACE = 'bench';
const TOKEN = 'bench-token';

/** A process of the bundle. */
export interface Bundled {
  readonly pid: number;
  /** Milliseconds since it was started. */
  readonly ageMs: () => number;
  /** What it tells first, as JSON. */
  readonly told: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** A real API server, with a receiver that follows the routing table in it. Operators come and go. */
export interface ControlPlane {
  readonly server: ApiServer;
  readonly namespace: string;
  readonly receiver: Bundled;
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  kubectl(args: readonly string[], input?: string): Promise<string>;
  startOperator(): Promise<Bundled>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens it all. */
export async function openControlPlane(): Promise<ControlPlane> {
  const assets = await findAssets(process.env, (line) => process.stderr.write(`${line}\n`));
  if (!assets.found) throw new Error(assets.reason);
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await startApiServer(assets.programs));
  await applyDefinitions(server);
  const api = opening.use(createApi(server));
  const data = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  opening.defer(() => rm(data, { recursive: true, force: true }));

  async function call(method: string, path: string, body?: unknown, contentType?: string) {
    const answer = await api.call(method, path, body, contentType);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body['message'])}`);
    return answer;
  }
  async function run(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await kubectl(server, [`--namespace=${NAMESPACE}`, ...args], input);
    if (code !== 0) throw new Error(stderr);
    return stdout;
  }
  const bundle = bundleCommand();
  async function start(args: readonly string[], tells: RegExp): Promise<Bundled> {
    const started = performance.now();
    const own = ['--kubeconfig', server.kubeconfigFile, '--namespace', NAMESPACE];
    const env = { ...process.env, ...bundle.env, SIGNALBOX_ADMIN_TOKEN: TOKEN };
    const child = spawn(process.execPath, [...args, ...own, '--egress-allow', '127.0.0.0/8'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    });
    const told = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)));
      createInterface(child.stdout).on('line', (line) => {
        if (tells.test(line)) resolve(line);
      });
    });
    return {
      pid: child.pid ?? 0,
      ageMs: () => performance.now() - started,
      told: JSON.parse(told) as Record<string, string>,
      async stop() {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      },
    };
  }

  await call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await call('POST', `/api/v1/namespaces/${NAMESPACE}/secrets`, {
    metadata: { name: ADMIN_TOKEN_SECRET },
    stringData: { [ADMIN_TOKEN_KEY]: TOKEN },
  });
  const receiver = await start(
    [
      ...bundle.args,
      'receiver',
      '--data',
      data,
      '--public',
      '127.0.0.1:0',
      '--cluster',
      '127.0.0.1:0',
      '--admin',
      '0.0.0.0:0',
    ],
    /"public"/,
  );
  opening.defer(() => receiver.stop());
  await call('POST', `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`, {
    metadata: { name: 'receivers', labels: { 'kubernetes.io/service-name': SERVICE } },
    addressType: 'IPv4',
    ports: [{ name: 'admin', port: Number(new URL(receiver.told['admin'] ?? '').port) }],
    endpoints: [{ addresses: [machineAddress()], conditions: { ready: true } }],
  });
  const opened = opening.move();
  return {
    server,
    namespace: NAMESPACE,
    receiver,
    call,
    kubectl: run,
    async startOperator() {
      const args = [...OPERATOR, '--receiver-service', SERVICE, '--admin', '127.0.0.1:0', '--leader-elect'];
      const operator = await start(args, /"admin"/);
      opened.defer(() => operator.stop());
      return operator;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** One that an EndpointSlice takes: it takes no loopback address. */
function machineAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (found === undefined) throw new Error('this machine has no IPv4 address but loopback');
  return found;
}
