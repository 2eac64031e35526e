import { execFile } from 'node:child_process';
import { Agent, request } from 'undici';
import type { Program } from './assets.ts';

/** How to reach an API server as its administrator. Plain data: it travels to the test processes. */
export interface Connection {
  readonly url: string;
  readonly token: string;
  /** PEM. */
  readonly caCert: string;
  /** The same as a kubeconfig, as text and as a file. */
  readonly kubeconfig: string;
  readonly kubeconfigFile: string;
  /** What it runs on: enough to start another one (server.ts). */
  readonly programs: Readonly<Record<Program, string>>;
}

type Credentials = Pick<Connection, 'url' | 'token' | 'caCert'>;

/** A kubeconfig (JSON, which is YAML too). */
export function kubeconfigText({ url, token, caCert }: Credentials): string {
  const ca = Buffer.from(caCert).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority-data': ca } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'default' } }],
    'current-context': 'test',
  });
}

/** What a command answered. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl against the server; `input` is its standard input. Does not throw where kubectl fails. */
export function kubectl(
  { programs, kubeconfigFile }: Connection,
  args: readonly string[],
  input = '',
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const all = [`--kubeconfig=${kubeconfigFile}`, `--cache-dir=${kubeconfigFile}.cache`, ...args];
    const child = execFile(programs.kubectl, all, { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: stderr || (error?.message ?? '') });
    });
    child.stdin?.on('error', () => undefined).end(input);
  });
}

/** What the server answered. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Plain requests to an API server, for what a test sets up or looks at. */
export interface Api {
  /** `path` with its query; `body` is sent as JSON. Answers whatever the status is. */
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens a client of its own. */
export function createApi({ url, token, caCert }: Credentials): Api {
  const dispatcher = new Agent({ connect: { ca: caCert } });
  const close = () => dispatcher.close();
  return {
    async call(method, path, body, contentType = 'application/json') {
      const { statusCode, body: answer } = await request(`${url}${path}`, {
        method: method as 'GET',
        dispatcher,
        headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: statusCode, body: (await answer.json()) as Record<string, unknown> };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
