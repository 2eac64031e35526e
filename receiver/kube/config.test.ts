import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KubeConfigError, kubeConfigFrom } from './config.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-kubeconfig-'));
afterAll(() => rmSync(directory, { recursive: true }));

const path = join(directory, 'config');
/** Where a pod finds the account that it works with. */
const POD = '/var/run/secrets/kubernetes.io/serviceaccount/token';
const REMEDY = 'name one with --kubeconfig or in KUBECONFIG.';

function kubeconfigOf(server: string): string {
  return JSON.stringify({
    clusters: [{ name: 'away', cluster: { server } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'away', context: { cluster: 'away', user: 'nobody' } }],
    'current-context': 'away',
  });
}

describe('kubeConfigFrom', () => {
  beforeEach(() => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('HOME', directory);
  });
  afterEach(() => void vi.unstubAllEnvs());

  it('takes any API server that is named, whether it answers or not', () => {
    writeFileSync(path, kubeconfigOf('http://127.0.0.1:9'));
    expect(kubeConfigFrom(path).getCurrentCluster()?.server).toBe('http://127.0.0.1:9');
    vi.stubEnv('KUBECONFIG', path);
    expect(kubeConfigFrom(undefined).getCurrentCluster()?.server).toBe('http://127.0.0.1:9');
  });

  it.each([
    [
      'no YAML',
      'a: [b\n c: {',
      `cannot be understood (missed comma between flow collection entries (2:3)); ${REMEDY}`,
    ],
    ['an alias of nothing', 'users: *s3cr3t', `cannot be understood (unidentified alias); ${REMEDY}`],
    ['empty', '', `cannot be understood (expected a document, but the input is empty); ${REMEDY}`],
    [
      'half a cluster',
      'clusters: [{name: a}]',
      `cannot be understood (clusters[0].cluster is missing); ${REMEDY}`,
    ],
    ['without a cluster', 'clusters: []', 'names no cluster; give it a current-context that has one.'],
    ['without an address', kubeconfigOf('10.0.0.1'), 'has the server 10.0.0.1, which is no URL; correct it.'],
  ])('tells of one that is %s', (_what, text, message) => {
    writeFileSync(path, text);
    expect(() => kubeConfigFrom(path)).toThrow(new KubeConfigError(`The kubeconfig ${path} ${message}`));
  });

  it('tells of a file that is not there', () => {
    const message = `The kubeconfig /nofile cannot be read (ENOENT); ${REMEDY}`;
    expect(() => kubeConfigFrom('/nofile')).toThrow(new KubeConfigError(message));
    vi.stubEnv('KUBECONFIG', '/nofile:/other');
    expect(() => kubeConfigFrom(undefined)).toThrow(new KubeConfigError(message));
  });

  it.skipIf(existsSync(POD))('tells that there is none at all', () => {
    expect(() => kubeConfigFrom(undefined)).toThrow(
      new KubeConfigError(`There is no kubeconfig, and this is no pod of a cluster; ${REMEDY}`),
    );
  });
});
