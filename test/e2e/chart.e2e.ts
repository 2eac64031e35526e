import { readdirSync, readFileSync } from 'node:fs';
import { load, loadAll } from 'js-yaml';
import { expect, test } from 'vitest';
import { command } from './command.ts';
import { NAMESPACE } from './release.ts';

const CHART = new URL('../../charts/signalbox/', import.meta.url).pathname;
const VALUES = readdirSync(`${CHART}ci`);

const POSTGRES = 'journal.engine=postgres,journal.postgres.url=postgres://u@db.example.com/d';

interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly securityContext: object;
  readonly containers: readonly {
    readonly args?: readonly string[];
    readonly securityContext: object;
    readonly resources: object;
  }[];
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

/** Kind and name of what the receivers run as, and what its one container is told. */
async function receivers(...args: readonly string[]) {
  const rendered = await render(...args);
  return rendered.filter(
    ({ kind, metadata }) =>
      /^(StatefulSet|Deployment|Job)$/.test(kind) && /-receiver(-move)?$/.test(metadata.name),
  ) as unknown as readonly {
    kind: string;
    spec: {
      replicas?: number;
      volumeClaimTemplates?: object[];
      template: {
        metadata: { labels: object };
        spec: {
          volumes?: { name: string; emptyDir?: object; persistentVolumeClaim?: object; projected?: object }[];
          topologySpreadConstraints?: object[];
          containers: [{ args: string[] }];
        };
      };
    };
  }[];
}

test('with PostgreSQL the receivers are a Deployment that keeps nothing, told of the database', async () => {
  const [one, ...others] = await receivers('--values', `${CHART}ci/postgres-values.yaml`);
  expect([one?.kind, others]).toEqual(['Deployment', []]);
  const pod = one?.spec.template.spec;
  expect(pod?.containers[0].args).toEqual(
    expect.arrayContaining([
      '--journal=postgres://signalbox@db.example.com:6432/signalbox?sslmode=verify-full&pool=8&sslrootcert=/etc/signalbox/postgres/ca.crt',
      '--journal-password-file=/etc/signalbox/postgres/password',
    ]),
  );
  expect(pod?.volumes).toEqual([
    { name: 'data', emptyDir: { sizeLimit: '1Gi' } },
    {
      name: 'postgres',
      projected: {
        defaultMode: 0o440,
        sources: [
          { secret: { name: 'database', items: [{ key: 'password', path: 'password' }] } },
          { secret: { name: 'database-ca', items: [{ key: 'tls.crt', path: 'ca.crt' }] } },
        ],
      },
    },
  ]);
  expect(pod?.topologySpreadConstraints).toHaveLength(1);
  // An upgrade would undo what the autoscaler has decided.
  expect(one?.spec.replicas).toBeUndefined();
  expect((await receivers('--set', `${POSTGRES},receiver.replicas=3`))[0]?.spec.replicas).toBe(3);
});

test.each(['install-with-helm.md', 'move-to-postgresql.md'])(
  'the values that %s shows are values of the chart',
  async (page) => {
    const text = readFileSync(new URL(`../../docs/tasks/${page}`, import.meta.url), 'utf8');
    const shown = [...text.matchAll(/^ *```yml\n(.*?)^ *```$/gms)].map(([, values = '']) => values);
    expect(shown).not.toEqual([]);
    for (const values of shown)
      await command('helm', ['template', 'signalbox', CHART, '--kube-version=1.35.0', '--values=-'], values);
  },
);

test('an embedded receiver that is about to be moved has the password at hand, any other no such volume', async () => {
  const set = 'journal.postgres.url=postgres://u@db/d,journal.postgres.passwordSecret.name=database';
  const [moving] = await receivers('--set', set);
  expect(moving?.kind).toBe('StatefulSet');
  expect(moving?.spec.template.spec.volumes).toMatchObject([{ name: 'postgres' }]);
  expect(moving?.spec.template.spec.containers[0].args.join()).not.toContain('--journal');
  expect((await receivers())[0]?.spec.template.spec.volumes).toBeUndefined();
});

test("a move is a Job in the receiver's place, on its volume", async () => {
  const made = await receivers('--values', `${CHART}ci/move-values.yaml`);
  const job = made.find(({ kind }) => kind === 'Job')?.spec.template;
  const deployment = made.find(({ kind }) => kind === 'Deployment')?.spec.template;
  expect(job?.metadata.labels).toEqual(deployment?.metadata.labels);
  expect(job?.spec.volumes).toContainEqual({
    name: 'data',
    persistentVolumeClaim: { claimName: 'data-signalbox-receiver-0' },
  });
  expect(job?.spec.containers[0].args).toContain('--from=/var/lib/signalbox');
});

test('receivers share out their absence, and what they may reach includes the database', async () => {
  const rendered = await render('--values', `${CHART}ci/postgres-values.yaml`);
  const spec = (kind: string) =>
    rendered.find((one) => one.kind === kind && one.metadata.name === 'signalbox-receiver')?.spec;
  expect(spec('PodDisruptionBudget')).toMatchObject({ maxUnavailable: '25%' });
  expect(spec('HorizontalPodAutoscaler')).toMatchObject({ minReplicas: 3, maxReplicas: 12 });
  expect(spec('NetworkPolicy')).toMatchObject({
    policyTypes: ['Ingress', 'Egress'],
    egress: expect.arrayContaining([
      { ports: [{ port: 6432 }], to: [{ ipBlock: { cidr: '192.0.2.0/24' } }] },
    ]) as unknown,
  });
  const closed = await render('--set', `${POSTGRES},networkPolicy.receiverTo[0].ipBlock.cidr=10.0.0.0/8`);
  expect(JSON.stringify(closed)).toContain('"ports":[{"port":5432}]');
  // A move begins with the embedded journal: the copy, and the Job before the upgrade's own policy is there.
  const moving = [
    'journal.postgres.url=postgres://u@db/d',
    'networkPolicy.receiverTo[0].ipBlock.cidr=10.0.0.0/8',
  ];
  expect(JSON.stringify(await render('--set', moving.join()))).toContain('"ports":[{"port":5432}]');
  expect(kinds(await render())).not.toContain('HorizontalPodAutoscaler');
});

test.each([
  ['ingress', 'ingress.hosts={*.example.com,hooks.example.com}', 'http://hooks.example.com'],
  ['ingress', 'ingress.hosts={*.example.com}', undefined],
  [
    'httpRoute',
    'httpRoute.parentRefs[0].name=gw,httpRoute.hostnames={*.example.com,hooks.example.com}',
    'https://hooks.example.com',
  ],
  ['httpRoute', 'httpRoute.parentRefs[0].name=gw,httpRoute.hostnames={*.example.com}', undefined],
])('a wildcard is a host of %s, and no address for senders: %s', async (way, set, url) => {
  const rendered = await render('--set', `${way}.enabled=true,${set}`);
  expect(JSON.stringify(rendered)).toContain('"*.example.com"');
  const operator = rendered.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'signalbox-operator',
  );
  const args = operator?.spec?.template?.spec.containers[0]?.args ?? [];
  expect(args.filter((arg) => arg.startsWith('--public-url'))).toEqual(
    url === undefined ? [] : [`--public-url=${url}`],
  );
});

test('names of digits alone stay names', async () => {
  const text = await command('helm', [
    'template',
    '2024',
    CHART,
    '--namespace=2025',
    '--kube-version=1.35.0',
  ]);
  const made = loadAll(text) as readonly Rendered[];
  expect(new Set(made.map(({ metadata }) => metadata.namespace))).toEqual(new Set([undefined, '2025']));
  expect(new Set(made.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance']))).toEqual(
    new Set(['2024']),
  );
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
  ['receiver.replicas=3', /receiver\.replicas: the embedded journal has one writer/],
  [
    'receiver.autoscaling.enabled=true',
    /receiver\.autoscaling\.enabled: the embedded journal has one writer/,
  ],
  ['receiver.terminationGracePeriodSeconds=24', /draining takes up to 20 s after receiver\.preStopSeconds/],
  ['journal.moveFrom=data', /set journal\.engine to postgres with it/],
  ['journal.engine=mysql', /'sqlite', 'postgres'/],
  ['journal.engine=postgres', /journal\.postgres\.url: journal\.engine postgres needs its database/],
  [POSTGRES.replace('u@', 'u:pass@'), /journal\.postgres\.url: it has a password/],
  [`${POSTGRES}?sslmode=disable&password=x`, /journal\.postgres\.url: it has a password/],
  [`${POSTGRES}?pool=2,journal.postgres.pool=3`, /journal\.postgres\.pool: the URL has a pool already/],
  [`${POSTGRES}?sslrootcert=/x,journal.postgres.caSecret.name=x`, /caSecret: the URL names an sslrootcert/],
  [`${POSTGRES},receiver.persistence.size=5Gi`, /receiver\.persistence\.size: .* has no volume/],
  [
    `${POSTGRES},receiver.autoscaling.enabled=true,receiver.autoscaling.maxReplicas=1`,
    /minReplicas: it is more than receiver\.autoscaling\.maxReplicas/,
  ],
  ['operator.logLevel=loud', /logLevel/],
  ['publicUrl=hooks.example.com', /publicUrl/],
  ['egress.allow={everything}', /egress/],
  ['egress.deny={10.0.0.0/33}', /egress/],
  ['egress.deny={fd00::/129}', /egress/],
  ['nameOverride=Foo_Bar', /nameOverride/],
  ['fullnameOverride=2nd', /fullnameOverride/],
  ['operator.podDisruptionBudget.minAvailable=lots', /minAvailable/],
  ['receiver.podDisruptionBudget.maxUnavailable=101%', /maxUnavailable/],
  ['service.public.nodePort=30080', /service\.public\.nodePort: a Service of type ClusterIP has none/],
  ['service.public.type=NodePort,service.public.nodePort=70000', /nodePort/],
])('a wrong value is named: %s', async (set, says) => {
  await expect(render('--set', set)).rejects.toThrow(says);
});

test.each([
  'nameOverride=box,fullnameOverride=signal-box-2',
  'egress.allow={10.0.0.0/8,0.0.0.0/0,192.0.2.1/32,fd00::/8,::ffff:192.0.2.0/120,::/0}',
  'operator.replicas=2,operator.podDisruptionBudget.minAvailable=50%',
  'service.public.type=LoadBalancer,service.public.nodePort=30080',
])('a right value is taken: %s', async (set) => {
  expect(await render('--set', set)).not.toEqual([]);
});

test('what the pod may do more is a choice: creating Secrets', async () => {
  const verbs = async (...args: readonly string[]) =>
    (await render(...args)).flatMap((one) =>
      ((load(JSON.stringify(one)) as { rules?: { resources: string[]; verbs: string[] }[] }).rules ?? [])
        .filter(({ resources }) => resources.includes('secrets'))
        .flatMap((rule) => rule.verbs),
    );
  expect(await verbs()).not.toContain('create');
  const more = ['--set', 'operator.generateSecrets=true'];
  expect(await verbs(...more)).toContain('create');
  expect(JSON.stringify(await render(...more))).not.toContain('/finalizers');
});
