import { expect, test } from 'vitest';
import { compileEntry, egressFindings } from '../../receiver/routing/compile.ts';
import { type ManifestInput, planManifests } from './manifests.ts';
import { eventBridge, eventTrigger, webhookSecret } from './testing.ts';

function input(over: Partial<ManifestInput> = {}): ManifestInput {
  return {
    webhookSecrets: [webhookSecret()],
    eventTriggers: [eventTrigger({ target: { sink: { uri: 'http://127.0.0.1:9900/' } } })],
    eventBridges: [],
    secrets: [{ namespace: 'shop', name: 'hooks', data: { secret: Buffer.from('s3cr3t') } }],
    broken: new Set(),
    resolve: new Map(),
    previous: [],
    publicUrl: 'http://127.0.0.1:8080',
    clusterUrl: 'http://127.0.0.1:8081',
    egress: (entry) => egressFindings(entry, { allowLoopback: true }),
    check: compileEntry,
    now: Date.UTC(2027, 0, 1),
    ...over,
  };
}

test('good manifests become a table, sorted, and no findings', () => {
  const plan = planManifests(input());
  expect(plan.findings).toEqual([]);
  expect(plan.entries.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
    'EventTrigger/forward',
    'WebhookSecret/hooks',
  ]);
  expect(plan.outcomes.get('WebhookSecret/shop/hooks')?.status.url).toBe(
    'http://127.0.0.1:8080/e/shop.hooks',
  );
});

test('a Secret counts in its own namespace only', () => {
  const secrets = [{ namespace: 'other', name: 'hooks', data: { secret: Buffer.from('s3cr3t') } }];
  expect(planManifests(input({ secrets })).outcomes.get('WebhookSecret/shop/hooks')?.ready.reason).toBe(
    'SecretNotFound',
  );
});

test('each finding names its resource and field, and the others run', () => {
  const bad = eventTrigger({ condition: 'data.amount >' });
  const good = { ...eventTrigger(), metadata: { name: 'good', namespace: 'shop' } };
  const plan = planManifests(input({ eventTriggers: [bad, good] }));
  expect(plan.findings).toMatchObject([
    { kind: 'EventTrigger', namespace: 'shop', name: 'forward', field: 'spec.condition' },
  ]);
  expect(plan.entries.map((entry) => entry.name)).toEqual(['good', 'hooks']);
});

test('what two compilers find, or one finds twice, is told once', () => {
  const target = { job: { uri: 'http://jobs.example', type: 'Build!' } };
  const recipe = { header: 'X-Signature', signedContent: '{nope}{nope}{body}' };
  const plan = planManifests(
    input({
      eventTriggers: [eventTrigger({ target })],
      webhookSecrets: [webhookSecret({ scheme: 'HMAC', hmac: recipe })],
    }),
  );
  expect(plan.findings.map(({ kind, field }) => `${kind} ${field}`)).toEqual([
    'EventTrigger spec.target.job.type',
    'WebhookSecret spec.hmac.signedContent',
  ]);
  expect(plan.outcomes.get('EventTrigger/shop/forward')?.ready.message.split('"Build!"')).toHaveLength(2);
});

test('a ref is resolved by --resolve, in any casing of the kind, and named where it is not', () => {
  const target = { sink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'orders' }, uri: '/in' } };
  const eventTriggers = [eventTrigger({ target })];
  const resolve = new Map([['service/shop/orders', 'http://127.0.0.1:7000']]);
  const plan = planManifests(input({ eventTriggers, resolve }));
  expect(plan.outcomes.get('EventTrigger/shop/forward')?.status.targetUri).toBe('http://127.0.0.1:7000/in');
  expect(planManifests(input({ eventTriggers })).findings[0]?.message).toContain(
    '--resolve Service/shop/orders=URL',
  );
});

test('a source stays with its holder until that is gone', () => {
  const first = webhookSecret({ source: 'orders' });
  const second = {
    ...webhookSecret({ source: 'orders' }),
    metadata: { name: 'a-second', namespace: 'shop' },
  };
  const before = planManifests(input({ webhookSecrets: [first] }));
  const both = planManifests(input({ webhookSecrets: [second, first], previous: before.entries }));
  expect(both.outcomes.get('WebhookSecret/shop/hooks')?.ready.status).toBe('True');
  expect(both.outcomes.get('WebhookSecret/shop/a-second')?.ready.reason).toBe('SourceTaken');
  const after = planManifests(input({ webhookSecrets: [second], previous: both.entries }));
  expect(after.outcomes.get('WebhookSecret/shop/a-second')?.ready.status).toBe('True');
});

test('a bad edit keeps what runs; a resource that is gone does not', () => {
  const { entries: previous } = planManifests(input());
  const eventTriggers = [eventTrigger({ condition: '1 +' }, 2)];
  const edited = planManifests(input({ eventTriggers, previous }));
  expect(edited.entries).toEqual(previous);
  expect(planManifests(input({ eventTriggers: [], previous })).entries).toHaveLength(1);
});

test('what is there in no valid form is not told to be missing', () => {
  const broken = new Set(['Secret/shop/hooks', 'WebhookSecret/shop/calls', 'EventBridge/shop/results']);
  const from = [{ eventBridge: { name: 'results' } }, { webhookSecret: { name: 'calls' } }];
  const source = {
    ojs: { uri: 'http://jobs.example', transport: 'Webhook' as const, webhookSecret: { name: 'calls' } },
  };
  const eventBridges = [{ ...eventBridge({ source }), metadata: { name: 'other', namespace: 'shop' } }];
  const plan = planManifests(
    input({ secrets: [], eventTriggers: [eventTrigger({ from })], eventBridges, broken }),
  );
  const told = plan.findings.map(({ kind, field, message }) => [kind, field, message]);
  const invalid = (what: string) => `${what} is invalid: correct what its own finding names`;
  expect(told).toEqual([
    ['EventBridge', 'spec.source.ojs.webhookSecret.name', invalid('WebhookSecret "calls"')],
    ['EventTrigger', 'spec.from[0].eventBridge.name', invalid('EventBridge "results"')],
    ['EventTrigger', 'spec.from[1].webhookSecret.name', invalid('WebhookSecret "calls"')],
    ['WebhookSecret', 'spec.secrets[0].secretKeyRef.name', invalid('Secret "hooks"')],
  ]);
});

test('an EventBridge runs, and triggers read from it', () => {
  const eventBridges = [eventBridge()];
  const reader = eventTrigger({ from: [{ eventBridge: { name: 'results' } }] });
  const plan = planManifests(input({ eventBridges, eventTriggers: [reader] }));
  expect(plan.findings).toEqual([]);
  expect(plan.entries.map(({ kind, name }) => `${kind} ${name}`)).toContain('EventBridge results');
  const alone = planManifests(input({ eventTriggers: [reader] }));
  expect(alone.findings).toMatchObject([{ kind: 'EventTrigger', field: 'spec.from[0].eventBridge.name' }]);
});

test('an egress policy that keeps namespaces apart refuses a cluster host by name, and takes a ref wherever it leads', () => {
  const apart = (sink: object) => {
    const policy = { allowLoopback: true, crossNamespace: false };
    const resolve = new Map([['Broker/shop/default', 'http://ingress.knative-eventing.svc.cluster.local/x']]);
    const eventTriggers = [eventTrigger({ target: { sink } })];
    const egress: ManifestInput['egress'] = (entry) => egressFindings(entry, policy);
    return planManifests(input({ eventTriggers, resolve, egress })).outcomes.get('EventTrigger/shop/forward')
      ?.ready;
  };
  expect(apart({ uri: 'http://orders.other.svc.cluster.local/' })).toMatchObject({
    reason: 'EgressRefused',
    message: expect.stringMatching(/spec\.target\.sink\.uri: .* is in the namespace other/) as string,
  });
  expect(apart({ uri: 'http://orders/' })?.reason).toBe('EgressRefused');
  expect(apart({ uri: 'http://orders.shop.svc/' })?.status).toBe('True');
  expect(apart({ uri: 'https://example.com/' })?.status).toBe('True');
  const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };
  expect(apart({ ref })?.status).toBe('True');
});
