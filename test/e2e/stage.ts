import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { launch } from '../../cli/testing/launch.ts';
import { command } from './command.ts';
import { openProxy } from './proxy.ts';
import { image, NAMESPACE, RELEASE } from './release.ts';

/** What came to the far end. */
export interface Arrival {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the load tells. */
export interface Load {
  readonly acknowledged: readonly string[];
  readonly refusals: Readonly<Record<string, number>>;
}

/** A pod that sends all the time between `start` and `stop`. */
export interface Sender {
  start(): Promise<void>;
  stop(): Promise<Load>;
  look(): Promise<Load>;
  /** Longest time between two acknowledgements since the last question, in milliseconds. */
  pause(): Promise<number>;
}

/** A namespace of one test, with a far end in it. */
export interface Stage {
  readonly namespace: string;
  /** Base address of the far end, within the cluster. */
  readonly farEnd: string;
  /** kubectl in the stage's namespace; throws what it says where it fails. */
  kubectl(...args: readonly string[]): Promise<string>;
  apply(...objects: readonly (object | string)[]): Promise<void>;
  /** An example's text, moved here and to the far end. */
  example(file: string): Promise<string>;
  /** Resolves when each resource is live. */
  live(...names: readonly string[]): Promise<void>;
  /** The message of Ready once it is False. */
  refused(name: string): Promise<{ readonly reason: string; readonly message: string }>;
  /** `signalbox send` to the public listener's endpoint. */
  send(
    source: string,
    ...args: readonly string[]
  ): Promise<{ readonly status: number; readonly answer: unknown }>;
  /** A request to a Service, `name:port`, by way of the API server. */
  request(service: string, path: string, init?: RequestInit & { namespace?: string }): Promise<Response>;
  /** The next arrival that was not given out yet; throws when none comes for two minutes. */
  next(): Promise<Arrival>;
  arrivals(): Promise<readonly Arrival[]>;
  /** Resolves when everything that was acknowledged has arrived; fails with what is missing when nothing more comes. */
  allArrived(acknowledged: readonly string[]): Promise<void>;
  /** A pod that sends to `target` all the time. */
  load(target: string, authorization?: string, type?: string): Promise<Sender>;
  [Symbol.asyncDispose](): Promise<void>;
}

const EXAMPLES = new URL('../../examples/', import.meta.url);
const PODS = new URL('./pods/', import.meta.url);

/** Sets the stage; the namespace goes at its end. */
export async function setStage(): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const namespace = `e2e-${randomBytes(4).toString('hex')}`;
  await command('kubectl', ['create', 'namespace', namespace]);
  const account = ['wait', '--for=create', 'serviceaccount/default', '--timeout=120s'];
  await command('kubectl', ['--namespace', namespace, ...account]);
  opening.defer(async () => {
    await command('kubectl', ['delete', 'namespace', namespace, '--wait=false']);
  });
  const proxy = opening.use(await openProxy());
  const kubectl = (...args: readonly string[]) => command('kubectl', ['--namespace', namespace, ...args]);

  async function apply(...objects: readonly (object | string)[]): Promise<void> {
    const texts = objects.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
    // kubectl takes what begins with a brace as JSON alone.
    const input = texts.map((text) => `---\n${text}\n`).join('');
    await command('kubectl', ['--namespace', namespace, 'apply', '--filename=-'], input);
  }

  async function pod(name: string, file: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const script = await readFile(new URL(file, PODS), 'utf8');
    await apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { [file]: script } },
      podOf(name, file, env),
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector: { app: name }, ports: [{ name: 'http', port: 8585 }] },
      },
    );
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', `pod/${name}`);
  }

  async function request(
    service: string,
    path: string,
    { namespace: within = namespace, ...init }: RequestInit & { namespace?: string } = {},
  ): Promise<Response> {
    const root = `${proxy.url}/api/v1/namespaces/${within}/services/${service}/proxy`;
    // A Service answers 503 here until its EndpointSlice is known everywhere.
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${root}${path}`, init);
      const text = answer.status === 503 ? await answer.clone().text() : '';
      if (!text.includes('no endpoints available') || tries === 50) return answer;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  const arrivalsNow = async () => (await (await request('far-end:http', '/all')).json()) as Arrival[];

  await pod('far-end', 'far-end.ts');
  const farEnd = `http://far-end.${namespace}.svc.cluster.local:8585`;
  let given = 0;
  const opened = opening.move();

  return {
    namespace,
    farEnd,
    kubectl,
    apply,
    async example(file) {
      const text = await readFile(new URL(file, EXAMPLES), 'utf8');
      return text
        .replaceAll(/namespace: (shop|ci)$/gm, `namespace: ${namespace}`)
        .replaceAll(/http:\/\/127\.0\.0\.1:(8585|9900)/g, farEnd);
    },
    live: async (...names) =>
      void (await kubectl('wait', '--for=condition=Ready', '--timeout=60s', ...names)),
    async refused(name) {
      await kubectl('wait', '--for=condition=Ready=False', '--timeout=60s', name);
      const { status } = JSON.parse(await kubectl('get', name, '-o', 'json')) as {
        status: { conditions: { type: string; reason: string; message: string }[] };
      };
      const ready = status.conditions.find(({ type }) => type === 'Ready');
      return { reason: ready?.reason ?? '', message: ready?.message ?? '' };
    },
    async send(source, ...args) {
      const path = `api/v1/namespaces/${NAMESPACE}/services/${RELEASE}-public:http/proxy/e/${namespace}.${source}`;
      const sending = launch(['send', '--url', `${proxy.url}/${path}`, '-o', 'json', ...args]);
      await sending.exited;
      return JSON.parse(sending.lines.join('\n')) as { status: number; answer: unknown };
    },
    request,
    async next() {
      const at = given;
      given += 1;
      // Each question is held for up to 20 s. A question that outlived its test would keep the whole run from ending.
      for (let asked = 0; asked < 6; asked += 1) {
        const answer = await request('far-end:http', `/arrivals?at=${at}`);
        if (answer.status === 200) return (await answer.json()) as Arrival;
      }
      throw new Error(`the far end has ${at} arrivals, and none more came`);
    },
    arrivals: arrivalsNow,
    async allArrived(acknowledged) {
      let before = -1;
      for (;;) {
        const there = new Set((await arrivalsNow()).map(({ headers }) => headers['ce-id']));
        const missing = acknowledged.filter((id) => !there.has(id));
        if (missing.length === 0) return;
        // Retries wait at most some seconds here: a while without any progress means that it is lost.
        if (there.size === before)
          throw new Error(`acknowledged, and never arrived: ${missing.slice(0, 10).join(', ')}`);
        before = there.size;
        await new Promise((resolve) => setTimeout(resolve, 20_000));
      }
    },
    async load(target, authorization = '', type = 'load.sent') {
      await pod('load', 'load.ts', { TARGET: target, AUTHORIZATION: authorization, TYPE: type });
      const ask = async <T = Load>(path: string) => (await (await request('load:http', path)).json()) as T;
      return {
        start: async () => void (await ask('/start')),
        stop: () => ask('/stop'),
        look: () => ask('/look'),
        pause: () => ask<number>('/pause'),
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function podOf(name: string, file: string, env: Readonly<Record<string, string>>): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name,
          image: image(),
          command: ['node', `/pods/${file}`],
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          readinessProbe: { tcpSocket: { port: 8585 }, periodSeconds: 1 },
          volumeMounts: [{ name: 'pods', mountPath: '/pods' }],
        },
      ],
      volumes: [{ name: 'pods', configMap: { name } }],
    },
  };
}
