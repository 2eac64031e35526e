import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { command } from './command.ts';
import { forward, resource } from './objects.ts';
import { NAMESPACE, RELEASE } from './release.ts';
import { setStage } from './stage.ts';

const KEYS = [{ name: 'current', secretKeyRef: { name: 'keys', key: 'current' } }];

function secret(name: string, data: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data };
}

test('each resource broken in turn says why, and the others flow', async () => {
  await using stage = await setStage();
  await stage.apply(
    secret('keys', { current: 's3cr3t' }),
    resource('WebhookSecret', 'hooks', { scheme: 'Emporix', secrets: KEYS }),
    forward('load', `${stage.farEnd}/in`),
    forward('edited', `${stage.farEnd}/edited`),
  );
  await stage.live('et/load', 'et/edited', 'whs/hooks');
  const address = `http://${RELEASE}-receiver.${NAMESPACE}.svc.cluster.local/triggers/${stage.namespace}/load`;
  const load = await stage.load(address);
  await load.start();

  // What the API server lets pass, and nobody could run.
  const broken: readonly (readonly [name: string, broken: object, reason: string, says: RegExp])[] = [
    ['et/edited', forward('edited', stage.farEnd, { filters: [{ cesql: 'type =' }] }), 'Invalid', /filters/],
    ['et/edited', forward('edited', stage.farEnd, { condition: '1 +' }), 'Invalid', /spec\.condition/],
    ['et/edited', forward('edited', 'http://169.254.169.254/'), 'EgressRefused', /generation 1 still serves/],
    [
      'et/nowhere',
      resource('EventTrigger', 'nowhere', {
        target: { sink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'missing' } } },
      }),
      'RefNotFound',
      /Service "missing" does not exist/,
    ],
    [
      'et/unheard',
      forward('unheard', stage.farEnd, { from: [{ webhookSecret: { name: 'missing' } }] }),
      'RefNotFound',
      /WebhookSecret "missing"/,
    ],
    [
      'whs/keyless',
      resource('WebhookSecret', 'keyless', {
        scheme: 'Emporix',
        secrets: [{ name: 'a', secretKeyRef: { name: 'none', key: 'a' } }],
      }),
      'SecretNotFound',
      /Secret "none"/,
    ],
    [
      'whs/taken',
      resource('WebhookSecret', 'taken', { scheme: 'Emporix', secrets: KEYS, source: 'e2e-taken' }),
      'SourceTaken',
      /belongs to WebhookSecret .*\/holder/,
    ],
    [
      'whs/ungenerated',
      resource('WebhookSecret', 'ungenerated', {
        scheme: 'Emporix',
        generate: {},
        secrets: [{ name: 'a', secretKeyRef: { name: 'none', key: 'a' } }],
      }),
      'SecretNotFound',
      /--generate-secrets/,
    ],
  ];
  await stage.apply(
    resource('WebhookSecret', 'holder', { scheme: 'Emporix', secrets: KEYS, source: 'e2e-taken' }),
  );
  await stage.live('whs/holder');
  for (const [name, object, reason, says] of broken) {
    await stage.apply(object);
    await expect
      .poll(() => stage.refused(name), { timeout: 30_000 })
      .toEqual({ reason, message: expect.stringMatching(says) });
  }

  // What the API server refuses says which field.
  const twoTargets = resource('EventTrigger', 'two', {
    target: { sink: { uri: stage.farEnd }, job: { uri: stage.farEnd, type: 'a' } },
  });
  await expect(stage.apply(twoTargets)).rejects.toThrow(/spec\.target/);

  // A Secret of one mebibyte: too large for the table, and nobody else's trouble.
  const data = { current: randomBytes(1_040_000).toString('base64') };
  const huge = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'huge' }, data };
  await command('kubectl', ['--namespace', stage.namespace, 'create', '--filename=-'], JSON.stringify(huge));
  const named = [{ name: 'a', secretKeyRef: { name: 'huge', key: 'current' } }];
  await stage.apply(resource('WebhookSecret', 'huge', { scheme: 'Emporix', secrets: named }));
  expect(await stage.refused('whs/huge')).toMatchObject({ reason: 'TableFull' });

  await stage.apply(forward('edited', `${stage.farEnd}/edited`));
  await stage.live('et/edited', 'et/load', 'whs/hooks');
  const { acknowledged, refusals } = await load.stop();
  expect(refusals).toEqual({});
  await stage.allArrived(acknowledged);
});

test('a definition ahead of the operator: the field that it does not know is told', async () => {
  await using stage = await setStage();
  await stage.apply(secret('keys', { current: 's3cr3t' }));
  const scheme = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/scheme/enum/-';
  const patch = (operation: object) =>
    command('kubectl', [
      'patch',
      'crd/webhooksecrets.signalbox.dev',
      '--type=json',
      `--patch=${JSON.stringify([operation])}`,
    ]);
  const path = scheme.replaceAll('/', '.').replace('.0.', '[0].').replace(/\.-$/, '');
  const show = ['get', 'crd/webhooksecrets.signalbox.dev', '-o', `jsonpath={${path}}`];
  const known = JSON.parse(await command('kubectl', show)) as string[];
  await patch({ op: 'add', path: scheme, value: 'FromTheFuture' });
  try {
    const ahead = resource('WebhookSecret', 'ahead', { scheme: 'FromTheFuture', secrets: KEYS });
    await expect.poll(() => stage.apply(ahead).then(() => true), { timeout: 30_000 }).toBe(true);
    expect(await stage.refused('whs/ahead')).toMatchObject({
      reason: 'Invalid',
      message: expect.stringMatching(/spec\.scheme.*FromTheFuture/),
    });
  } finally {
    await patch({ op: 'remove', path: scheme.replace(/-$/, String(known.length)) });
  }
});

test('a rule that is missing in the operator’s role is named by the condition', async () => {
  await using stage = await setStage();
  const role = `clusterrole/${RELEASE}-operator`;
  const { rules } = JSON.parse(await command('kubectl', ['get', role, '-o', 'json'])) as {
    rules: { resources: string[]; verbs: string[] }[];
  };
  const without = rules.map((rule) =>
    rule.resources.includes('secrets') ? { ...rule, verbs: ['list', 'watch'] } : rule,
  );
  const set = (to: object) =>
    command('kubectl', ['patch', role, '--type=merge', `--patch=${JSON.stringify({ rules: to })}`]);
  await set(without);
  try {
    await stage.apply(
      secret('keys', { current: 's3cr3t' }),
      resource('WebhookSecret', 'hooks', { scheme: 'Emporix', secrets: KEYS }),
    );
    const { reason, message } = await stage.refused('whs/hooks');
    expect(reason).toBe('Forbidden');
    expect(message).toMatch(/cannot get resource "secrets" in API group ""/);
  } finally {
    await set(rules);
  }
  await stage.live('whs/hooks');
});
