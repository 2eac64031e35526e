import { readdirSync } from 'node:fs';
import { load, loadAll } from 'js-yaml';
import { expect, test } from 'vitest';
import { command } from './command.ts';
import { NAMESPACE } from './release.ts';

const CHART = new URL('../../charts/signalbox/', import.meta.url).pathname;
const VALUES = readdirSync(`${CHART}ci`);

interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly securityContext: object;
  readonly containers: readonly { readonly securityContext: object; readonly resources: object }[];
}

async function render(...args: readonly string[]): Promise<readonly Rendered[]> {
  const text = await command('helm', [
    'template',
    'signalbox',
    CHART,
    '--namespace',
    NAMESPACE,
    '--kube-version=1.35.0',
    ...args,
  ]);
  return (loadAll(text) as (Rendered | null)[]).filter((one) => one !== null);
}

function kinds(objects: readonly Rendered[]): ReadonlySet<string> {
  return new Set(objects.map(({ kind }) => kind));
}

test('helm lint finds nothing', async () => {
  await command('helm', ['lint', '--strict', CHART]);
});

test.each(VALUES)('%s renders, and every pod is as little as it can be', async (file) => {
  const objects = await render('--values', `${CHART}ci/${file}`);
  for (const { spec, metadata } of objects) {
    const pod = spec?.template?.spec;
    if (pod === undefined) continue;
    expect(pod.securityContext, metadata.name).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of pod.containers)
      expect(container.securityContext, metadata.name).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
  }
});

test('in one namespace nothing of the cluster is made', async () => {
  const made = kinds(await render('--values', `${CHART}ci/one-namespace-values.yaml`));
  for (const kind of ['ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'])
    expect(made).not.toContain(kind);
});

test('the CustomResourceDefinitions are kept unless that is not wanted', async () => {
  const policy = async (...args: readonly string[]) =>
    (await render(...args))
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy']);
  expect(await policy()).toEqual(['keep', 'keep', 'keep']);
  expect(await policy('--set', 'crds.keep=false')).toEqual([undefined, undefined, undefined]);
  expect(await policy('--set', 'crds.enabled=false')).toEqual([]);
});

test('a ServiceMonitor needs its definition, and says so', async () => {
  const on = ['--set', 'serviceMonitor.enabled=true'];
  await expect(render(...on)).rejects.toThrow(/install the Prometheus operator/);
  const made = await render(...on, '--api-versions', 'monitoring.coreos.com/v1');
  expect(made.filter(({ kind }) => kind === 'ServiceMonitor')).toHaveLength(2);
});

test.each([
  ['operator.replica=2', /replica/],
  ['receiver.replicas=3', /replicas/],
  ['operator.logLevel=loud', /logLevel/],
  ['publicUrl=hooks.example.com', /publicUrl/],
  ['egress.allow={everything}', /egress/],
])('a wrong value is named: %s', async (set, says) => {
  await expect(render('--set', set)).rejects.toThrow(says);
});

test('what the pod may do more is a choice: creating Secrets', async () => {
  const verbs = async (...args: readonly string[]) =>
    (await render(...args)).flatMap((one) =>
      ((load(JSON.stringify(one)) as { rules?: { resources: string[]; verbs: string[] }[] }).rules ?? [])
        .filter(({ resources }) => resources.includes('secrets'))
        .flatMap((rule) => rule.verbs),
    );
  expect(await verbs()).not.toContain('create');
  expect(await verbs('--set', 'operator.generateSecrets=true')).toContain('create');
});
