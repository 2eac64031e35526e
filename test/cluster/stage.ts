import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Arrival, openTarget } from '../../cli/listen/target.ts';
import { type Inbox, inbox } from '../../cli/testing/inbox.ts';
import { type Launched, launch } from '../../cli/testing/launch.ts';
import { ADMIN_TOKEN_SECRET } from '../../operator/confirm/admin-token.ts';
import { type Connection, createApi, kubectl } from '../apiserver/connection.ts';
import { createNamespace } from '../apiserver/namespace.ts';

const SERVICE = 'signalbox-receiver';
const EXAMPLES = new URL('../../examples/', import.meta.url);

/** What `signalbox send -o json` tells. */
export interface Sent {
  readonly status: number;
  readonly answer: {
    readonly events?: readonly {
      readonly id: string;
      readonly triggers: readonly string[];
      readonly instances?: readonly string[];
    }[];
    readonly error?: { readonly code: string };
  };
}

/** A namespace with an operator and a receiver as processes of their own, and a target on this machine. */
export interface ClusterStage {
  readonly namespace: string;
  readonly operator: Launched;
  /** The one that runs now. */
  receiver(): Launched;
  readonly arrivals: Inbox<Arrival>;
  /** kubectl, in this namespace; throws what it says where it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Applies a manifest. */
  apply(text: string): Promise<void>;
  /** An example's text, moved to this namespace and to the target here. */
  example(file: string): Promise<string>;
  /** Resolves when the resource's newest generation is live. */
  live(...names: readonly string[]): Promise<void>;
  /** Sends as a provider would, with the command. */
  send(source: string, args: readonly string[]): Promise<Sent>;
  startReceiver(): Promise<Launched>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Sets the stage; what it opens is closed at its end. */
export async function setStage(server: Connection): Promise<ClusterStage> {
  const opened = new AsyncDisposableStack();
  const api = opened.use(createApi(server));
  const { name: namespace } = opened.use(await createNamespace(api, 'cluster'));
  const data = await mkdtemp(join(tmpdir(), 'signalbox-cluster-'));
  opened.defer(() => rm(data, { recursive: true, force: true }));
  const arrivals = inbox<Arrival>();
  const target = await openTarget({
    address: { host: '127.0.0.1', port: 0 },
    fail: 0,
    arrived: arrivals.add,
    now: () => new Date(),
    id: randomUUID,
  });
  opened.defer(() => target.close(0));

  async function run(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await kubectl(server, [`--namespace=${namespace}`, ...args], input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  const own = ['--kubeconfig', server.kubeconfigFile, '--namespace', namespace];
  const loopback = ['--egress-allow', '127.0.0.0/8'];
  const operator = opened.use(
    launch(
      ['operator', ...own, '--watch-namespace', namespace, '--receiver-service', SERVICE, ...loopback]
        .concat('--admin', '127.0.0.1:0')
        .concat('--leader-elect', '--generate-secrets'),
    ),
  );

  // As the kubelet does it: the first one starts without the token, later ones are given it.
  let env = process.env;
  let receiver: Launched;
  let publicUrl: string;
  async function startReceiver(): Promise<Launched> {
    receiver = opened.use(
      launch(
        ['receiver', ...own, '--data', data, ...loopback]
          .concat('--admin-token-secret', ADMIN_TOKEN_SECRET)
          .concat('--public', '127.0.0.1:0', '--cluster', '127.0.0.1:0')
          // An EndpointSlice takes no loopback address.
          .concat('--admin', '0.0.0.0:0'),
        env,
      ),
    );
    const listens = JSON.parse(await receiver.line(/"public"/)) as { public: string; admin: string };
    publicUrl = listens.public;
    return receiver;
  }
  async function announce(): Promise<void> {
    const { admin } = JSON.parse(await receiver.line(/"public"/)) as { admin: string };
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'receivers', labels: { 'kubernetes.io/service-name': SERVICE } },
      addressType: 'IPv4',
      ports: [{ name: 'admin', port: Number(new URL(admin).port) }],
      endpoints: [{ addresses: [machineAddress()], conditions: { ready: true } }],
    };
    await run(['apply', '--filename=-'], JSON.stringify(slice));
  }
  await startReceiver();
  await announce();
  const encoded = await run(['get', 'secret', ADMIN_TOKEN_SECRET, '-o', 'jsonpath={.data.token}']);
  env = { ...process.env, SIGNALBOX_ADMIN_TOKEN: Buffer.from(encoded, 'base64').toString() };

  return {
    namespace,
    operator,
    receiver: () => receiver,
    arrivals,
    kubectl: run,
    apply: async (text) => void (await run(['apply', '--filename=-'], text)),
    async example(file) {
      const text = await readFile(new URL(file, EXAMPLES), 'utf8');
      return text
        .replaceAll(/namespace: (shop|ci|jobs)$/gm, `namespace: ${namespace}`)
        .replaceAll(/http:\/\/127\.0\.0\.1:(8585|8586|9900)/g, target.url);
    },
    live: async (...names) => void (await run(['wait', '--for=condition=Ready', '--timeout=60s', ...names])),
    async send(source, args) {
      const url = `${publicUrl}/e/${namespace}.${source}`;
      const sending = launch(['send', '--url', url, '-o', 'json', ...args]);
      await sending.exited;
      return JSON.parse(sending.lines.join('\n')) as Sent;
    },
    startReceiver,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function machineAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const address = all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (address === undefined)
    throw new Error(
      'this machine has no IPv4 address but loopback, and an EndpointSlice takes none of those',
    );
  return address;
}
