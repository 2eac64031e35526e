import { readdirSync, readFileSync } from 'node:fs';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { API_VERSION, GROUP, isKind, KINDS, type Kind, VERSION } from '../crds/group.ts';
import { BROKEN, manifest, SOUND } from '../crds/testing/variants.ts';
import { validateManifest } from '../crds/validate.ts';
import { type Api, createApi, kubectl } from './apiserver/connection.ts';
import { DEFINITION_FILES } from './apiserver/definitions.ts';
import { createNamespace } from './apiserver/namespace.ts';
import { describeWithServer } from './apiserver/suite.ts';

const EXAMPLES = new URL('../examples/', import.meta.url);
const FILES = readdirSync(EXAMPLES).filter((file) => file.endsWith('.yaml'));

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
}

/** What a file holds of our own kinds and of Kubernetes' own. */
function documents(file: string): Manifest[] {
  const all = loadAll(readFileSync(new URL(file, EXAMPLES), 'utf8')) as Manifest[];
  return all.filter(({ apiVersion }) => apiVersion === API_VERSION || apiVersion === 'v1');
}

function inNamespace(namespace: string, items: readonly Manifest[]): string {
  // One document each: for a `List` kubectl falls back on its old client-side validation, which refuses null.
  return items
    .map((item) => JSON.stringify({ ...item, metadata: { ...item.metadata, namespace } }))
    .join('\n---\n');
}

const path = (kind: Kind, namespace: string) =>
  `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${KINDS[kind].plural}`;
const DRY = '?dryRun=All&fieldValidation=Strict';

describeWithServer('the CRDs on a real API server', (server) => {
  let api: Api;
  beforeAll(() => {
    api = createApi(server);
  });
  afterAll(() => api.close());

  test.each([
    ['client-side', ['apply', '--dry-run=server']],
    ['server-side', ['apply', '--dry-run=server', '--server-side', '--force-conflicts']],
  ])('are accepted %s, without a warning', async (_way, args) => {
    const { code, stderr } = await kubectl(server, [
      ...args,
      ...DEFINITION_FILES.map((file) => `--filename=${file}`),
    ]);
    expect(
      stderr.replaceAll(/^.*missing the kubectl.kubernetes.io.last-applied-configuration.*$/gm, '').trim(),
    ).toBe('');
    expect(code).toBe(0);
  });

  test.each(Object.values(KINDS))('are established and structural: $plural', async ({ plural }) => {
    const { body } = await api.call(
      'GET',
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${GROUP}`,
    );
    const { conditions } = body['status'] as { conditions: { type: string; status: string }[] };
    const states = Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
    expect(states).toMatchObject({ Established: 'True', NamesAccepted: 'True' });
    expect(states).not.toHaveProperty('NonStructuralSchema');
  });

  test.each(FILES)('take examples/%s, client-side and server-side', async (file) => {
    for (const flags of [[], ['--server-side']]) {
      await using namespace = await createNamespace(api, 'examples');
      const input = inNamespace(namespace.name, documents(file));
      const answer = await kubectl(server, ['apply', ...flags, '--filename=-'], input);
      expect(answer).toMatchObject({ code: 0, stderr: '' });
    }
  });

  test.each(FILES)('make the same of examples/%s as offline validation', async (file) => {
    for (const document of documents(file)) {
      if (!isKind(document.kind)) continue;
      const object = manifest(document.kind, document.metadata.name, document.spec);
      const { value, findings } = validateManifest(document.kind, object);
      const { body } = await api.call('POST', path(document.kind, 'default') + DRY, object);
      expect(findings).toEqual([]);
      expect(value.spec).toEqual(body['spec']);
    }
  });

  test.each(BROKEN)('refuse $name', async ({ kind, spec, field }) => {
    const { status, body } = await api.call(
      'POST',
      path(kind, 'default') + DRY,
      manifest(kind, 'broken', spec),
    );
    expect(body['message']).toContain(field);
    expect([400, 422]).toContain(status);
  });

  test.each(SOUND)('take $name, and make the same of it as offline validation', async ({ kind, spec }) => {
    const object = manifest(kind, 'sound', spec);
    const { status, body } = await api.call('POST', path(kind, 'default') + DRY, object);
    expect(body['message']).toBeUndefined();
    expect(status).toBe(201);
    expect(validateManifest(kind, object).value.spec).toEqual(body['spec']);
  });

  test('keep a status that is written to the subresource, and no other', async () => {
    await using namespace = await createNamespace(api, 'status');
    const collection = path('WebhookSecret', namespace.name);
    const spec = { scheme: 'GitHub', secrets: [{ name: 'a', secretKeyRef: { name: 'a', key: 'a' } }] };
    const object = {
      ...manifest('WebhookSecret', 'a', spec),
      metadata: { name: 'a' },
      status: { url: 'http://x' },
    };
    const created = await api.call('POST', collection, object);
    expect(created.body).not.toHaveProperty('status');
    const status = {
      observedGeneration: 1,
      servingGeneration: 1,
      url: 'https://hooks.example.com/e/a',
      source: 'a',
      keys: [{ name: 'a', lastUsed: '2027-01-31T00:00:00Z' }],
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          observedGeneration: 1,
          reason: 'Live',
          message: '',
          lastTransitionTime: '2027-01-31T00:00:00Z',
        },
      ],
      traffic: { lastEvent: '2027-01-31T00:00:00Z', accepted: 3, rejected: 0 },
    };
    const patch = { apiVersion: API_VERSION, kind: 'WebhookSecret', metadata: { name: 'a' }, status };
    const applied = await api.call(
      'PATCH',
      `${collection}/a/status?fieldManager=test&fieldValidation=Strict`,
      patch,
      'application/apply-patch+yaml',
    );
    expect(applied.body['status']).toEqual(status);
    const { stdout } = await kubectl(server, ['get', 'whs', '--namespace', namespace.name]);
    const [head, row] = stdout.trim().split('\n');
    expect(head?.split(/\s{2,}/)).toEqual(['NAME', 'READY', 'REASON', 'URL', 'SCHEME', 'LAST EVENT', 'AGE']);
    expect(row).toMatch(/^a\s+True\s+Live\s+https:\/\/hooks\.example\.com\/e\/a\s+GitHub\s/);
  });

  test('are found by category and short name, and explained', async () => {
    const all = await kubectl(server, ['api-resources', '--categories=signalbox', '--no-headers']);
    for (const [kind, { shortName }] of Object.entries(KINDS)) {
      expect(all.stdout).toMatch(new RegExp(`\\b${shortName}\\b.*\\b${kind}$`, 'm'));
    }
    const { stdout } = await kubectl(server, ['explain', 'et.spec.steps.waitFor.onTimeout']);
    expect(stdout).toContain('Fail ends the instance');
  });
});
