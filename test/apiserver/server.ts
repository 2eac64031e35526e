import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from './assets.ts';
import { type Connection, kubeconfigText } from './connection.ts';
import { type RunningProgram, startProgram } from './process.ts';

/** An API server of its own, with etcd beneath it and no nodes. */
export interface ApiServer extends Connection {
  /** Of etcd and of kube-apiserver, as they run now. */
  pids(): readonly number[];
  /** It stands still: connections stay open and nothing answers, as behind a broken network. */
  pause(): void;
  resume(): void;
  /** It is gone: connections are refused. The data stay. */
  kill(): Promise<void>;
  /** Brings a killed one back at the same address, with the same data. */
  restart(): Promise<void>;
  /** Ends it and removes what it wrote. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const READY_WITHIN_MS = 120_000;

/** Starts etcd and kube-apiserver on free ports of 127.0.0.1 and waits until the server is ready (4 to 10 s). */
export async function startApiServer(programs: Readonly<Record<Program, string>>): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-apiserver-'));
  const running: RunningProgram[] = [];
  const stop = async () => {
    await Promise.all(running.map((program) => program.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const etcdUrl = `http://127.0.0.1:${await freePort()}`;
    running.push(await startProgram(programs.etcd, await etcdFlags(folder, etcdUrl)));
    const token = randomBytes(16).toString('hex');
    const port = await freePort();
    const flags = apiServerFlags(folder, etcdUrl, port, token);
    const url = `https://127.0.0.1:${port}`;
    const start = async () => {
      const server = await startProgram(programs['kube-apiserver'], flags);
      running[1] = server;
      await ready(server, url, token, folder);
    };
    await start();
    const caCert = certificate(folder);
    const kubeconfigFile = join(folder, 'kubeconfig');
    const kubeconfig = kubeconfigText({ url, token, caCert });
    writeFileSync(kubeconfigFile, kubeconfig, { mode: 0o600 });
    return {
      url,
      token,
      caCert,
      kubeconfig,
      kubeconfigFile,
      programs,
      pids: () => running.map(({ pid }) => pid),
      pause: () => running[1]?.pause(),
      resume: () => running[1]?.resume(),
      kill: async () => running[1]?.kill(),
      restart: start,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function etcdFlags(folder: string, url: string): Promise<string[]> {
  const peer = `http://127.0.0.1:${await freePort()}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerFlags(folder: string, etcdUrl: string, port: number, token: string): string[] {
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  mkdirSync(join(folder, 'certs'));
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certs')}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${file('tokens.csv', `${token},admin,admin,"system:masters"\n`)}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('service-account.pub', keys.publicKey)}`,
    `--service-account-signing-key-file=${file('service-account.key', keys.privateKey)}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // Nothing here makes the default ServiceAccount of a namespace.
    '--disable-admission-plugins=ServiceAccount',
    '--enable-priority-and-fairness=false',
    '--profiling=false',
  ];
}

/** The server's own certificate together with the authority that it made for itself. */
function certificate(folder: string): string {
  return readFileSync(join(folder, 'certs', 'apiserver.crt'), 'utf8');
}

async function ready(server: RunningProgram, url: string, token: string, folder: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await isReady(url, token, folder))) {
    if (server.hasEnded()) throw new Error(`kube-apiserver ended while it started:\n${server.log()}`);
    if (Date.now() > deadline) throw new Error(`kube-apiserver is not ready after 2 min:\n${server.log()}`);
    await delay(100);
  }
}

function isReady(url: string, token: string, folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const headers = { authorization: `Bearer ${token}` };
      const request = get(`${url}/readyz`, { ca: certificate(folder), headers, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.on('error', () => resolve(false));
    } catch {
      // The certificate is written a moment after the start.
      resolve(false);
    }
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
