import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLog } from '../../receiver/observe/log.ts';
import { launch } from '../testing/launch.ts';
import { runOperator } from './run-operator.ts';

const directory = mkdtempSync(join(tmpdir(), 'signalbox-cluster-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe.each([
  ['operator', '--admin', '127.0.0.1:0'],
  ['receiver', '--data', join(directory, 'data')],
])('signalbox %s', (...command) => {
  it('ends with one line and 1 where there is no kubeconfig', async () => {
    const running = launch(command, { ...process.env, HOME: directory, KUBECONFIG: '/nofile' });
    expect(await running.exited).toBe(1);
    expect(running.lines).toEqual([
      'The kubeconfig /nofile cannot be read (ENOENT); name one with --kubeconfig or in KUBECONFIG.',
    ]);
  });
});

describe('runOperator', () => {
  it('does not claim to have read what it was stopped before', async () => {
    const kubeconfig = join(directory, 'away');
    const away = {
      clusters: [{ name: 'away', cluster: { server: 'http://127.0.0.1:9' } }],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'away', context: { cluster: 'away', user: 'nobody' } }],
      'current-context': 'away',
    };
    writeFileSync(kubeconfig, JSON.stringify(away));
    const lines: string[] = [];
    const running = await runOperator({
      namespace: 'signalbox',
      watchNamespace: undefined,
      receiverService: 'signalbox-receiver',
      publicUrl: '',
      clusterUrl: 'http://signalbox-receiver',
      clusterDomain: 'cluster.local',
      canGenerate: false,
      admin: { host: '127.0.0.1', port: 0 },
      identity: undefined,
      kubeconfig,
      egress: {},
      log: createLog('info', { write: (line) => void lines.push(line) }),
    });
    await running.close();
    const told = lines.join('');
    expect(told).toContain('the operator starts');
    expect(told).not.toContain('the operator has read everything');
  });
});
