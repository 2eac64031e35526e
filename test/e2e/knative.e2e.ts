import { beforeAll, describe, expect, test } from 'vitest';
import { command } from './command.ts';
import { forward, resource } from './objects.ts';
import { NAMESPACE, RELEASE } from './release.ts';
import { type Stage, setStage } from './stage.ts';

const EVENTING = 'eventing.knative.dev/v1';
const POLL = { timeout: 30_000 };
const CRDS = await command('kubectl', ['get', 'crd', '-o', 'name']).catch(() => '');
const hasKnative = CRDS.includes('triggers.eventing.knative.dev');

function broker(name = 'default'): object {
  return { apiVersion: EVENTING, kind: 'Broker', metadata: { name } };
}

function knativeTrigger(name: string, subscriber: string, type: string): object {
  const ref = { apiVersion: 'signalbox.dev/v1alpha1', kind: 'EventTrigger', name: subscriber };
  return {
    apiVersion: EVENTING,
    kind: 'Trigger',
    metadata: { name },
    spec: { broker: 'default', filters: [{ exact: { type } }], subscriber: { ref } },
  };
}

async function ready(stage: Stage, ...names: readonly string[]): Promise<void> {
  await stage.kubectl('wait', '--for=condition=Ready', '--timeout=60s', ...names);
}

/** Sends until the Broker takes it: its ingress learns of a new Broker some time after that is Ready, and answers 404 till then. */
async function toBroker(stage: Stage, id: string, type: string): Promise<void> {
  const headers = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-type': type, 'ce-source': '/shop' };
  const send = () =>
    stage.request('broker-ingress:80', `/${stage.namespace}/default`, {
      namespace: 'knative-eventing',
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ id }),
    });
  await expect.poll(async () => (await send()).status, POLL).toBe(202);
}

const SUITE = hasKnative ? 'Knative' : 'Knative (left out: the cluster has no Knative Eventing)';

describe.skipIf(!hasKnative)(SUITE, () => {
  beforeAll(async () => {
    const all = ['deployment', '--all', '--namespace=knative-eventing', '--timeout=180s'];
    await command('kubectl', ['wait', '--for=condition=Available', ...all]);
    // Its webhook is a while behind its pods: the certificates are made first.
    const trial = JSON.stringify(broker('trial'));
    const answers = () =>
      command('kubectl', ['create', '--dry-run=server', '--filename=-'], trial).then(
        () => true,
        () => false,
      );
    while (!(await answers())) await new Promise((resolve) => setTimeout(resolve, 1000));
  });

  test('a Broker reaches a trigger by reference, and an event becomes one job', async () => {
    await using stage = await setStage();
    const job = { type: 'order.pack', ref: { apiVersion: 'v1', kind: 'Service', name: 'far-end' } };
    await stage.apply(
      broker(),
      resource('EventTrigger', 'pack-order', { from: [{ cluster: {} }], target: { job } }),
      knativeTrigger('orders', 'pack-order', 'order.created'),
    );
    await ready(stage, 'broker/default', 'trigger/orders', 'et/pack-order');
    await toBroker(stage, 'o-1', 'order.created');
    await toBroker(stage, 'o-2', 'order.deleted');
    const { path, body } = await stage.next();
    expect(path).toBe('/ojs/v1/jobs');
    expect(JSON.parse(body)).toMatchObject({ type: 'order.pack', meta: { trigger_event_id: 'o-1' } });
    expect(await stage.arrivals()).toHaveLength(1);
    process.stdout.write(await stage.kubectl('get', 'broker,trigger,et'));
  });

  test('webhook → Broker → trigger is one and the same event all the way', async () => {
    await using stage = await setStage();
    await stage.apply((await stage.example('knative.yaml')).replace('name: ojs', 'name: far-end'));
    await ready(stage, 'broker/default', 'trigger/orders');
    await stage.live('et/pack-order', 'et/webhooks-to-broker', 'whs/storefront-emporix');
    const order = ['--scheme', 'Emporix', '--secret', 's3cr3t', '--type', 'order.created', '--id', 'chain-1'];
    const sent = await stage.send('storefront-emporix', ...order, '--data', '{"order":"A-1"}');
    expect(sent).toMatchObject({ status: 202 });
    const { body } = await stage.next();
    expect(JSON.parse(body)).toMatchObject({
      type: 'order.pack',
      args: [{ order: 'A-1' }],
      meta: { trigger_event_id: 'chain-1' },
    });
    // The same event again stops at the first door.
    expect(await stage.send('storefront-emporix', ...order, '--data', '{"order":"A-1"}')).toMatchObject({
      answer: { events: [{ duplicate: true }] },
    });
    expect(await stage.arrivals()).toHaveLength(1);
  });

  test('a ref is followed when what it names changes', async () => {
    await using stage = await setStage();
    const ref = { apiVersion: EVENTING, kind: 'Broker', name: 'late' };
    await stage.apply(resource('EventTrigger', 'to-broker', { target: { sink: { ref } } }));
    expect(await stage.refused('et/to-broker')).toMatchObject({ reason: 'RefNotFound' });
    await stage.apply(broker('late'));
    await stage.live('et/to-broker');
    expect(await stage.kubectl('get', 'et/to-broker', '-o', 'jsonpath={.status.targetUri}')).toBe(
      `http://broker-ingress.knative-eventing.svc.cluster.local/${stage.namespace}/late`,
    );
    await stage.kubectl('delete', 'broker/late');
    expect(await stage.refused('et/to-broker')).toMatchObject({ reason: 'RefNotFound' });
  });

  test('what a target refuses goes to the dead letter sink, a Broker', async () => {
    await using stage = await setStage();
    const deadLetterSink = { ref: { apiVersion: EVENTING, kind: 'Broker', name: 'default' } };
    await stage.apply(
      broker(),
      forward('refused', `${stage.farEnd}/refuse`, { delivery: { retry: 0, deadLetterSink } }),
      forward('dead', `${stage.farEnd}/dead`),
      knativeTrigger('to-refused', 'refused', 'order.created'),
      {
        ...knativeTrigger('to-dead', 'dead', 'order.created'),
        spec: {
          broker: 'default',
          filters: [{ exact: { type: 'order.created' } }, { exact: { knativeerrorcode: '400' } }],
          subscriber: { ref: { apiVersion: 'signalbox.dev/v1alpha1', kind: 'EventTrigger', name: 'dead' } },
        },
      },
    );
    // One round only: a dead letter would go to the trigger that refuses it again.
    await ready(stage, 'broker/default', 'trigger/to-refused', 'trigger/to-dead');
    await stage.live('et/refused', 'et/dead');
    await toBroker(stage, 'd-1', 'order.created');
    const { path, headers } = await stage.next();
    expect(path).toBe('/dead');
    expect(headers).toMatchObject({ 'ce-id': 'd-1', 'ce-knativeerrorcode': '400' });
  });

  test('with Knative’s own OIDC a Broker is let in by its token', async () => {
    await using stage = await setStage();
    const features = (value: string) => {
      const patch = JSON.stringify({ data: { 'authentication-oidc': value } });
      const where = ['configmap/config-features', '--namespace=knative-eventing'];
      return command('kubectl', ['patch', ...where, '--type=merge', `--patch=${patch}`]);
    };
    await features('enabled');
    try {
      const audience = `signalbox.dev/eventtrigger/${stage.namespace}/guarded`;
      const subjects = [`system:serviceaccount:${stage.namespace}:*`];
      const from = [{ cluster: { audience, subjects } }];
      await stage.apply(
        broker(),
        forward('guarded', `${stage.farEnd}/in`, { from }),
        knativeTrigger('to-guarded', 'guarded', 'order.created'),
      );
      await ready(stage, 'broker/default', 'trigger/to-guarded');
      await stage.live('et/guarded');
      // The Broker itself now wants a token for its own audience.
      const own = await stage.kubectl('get', 'broker/default', '-o', 'jsonpath={.status.address.audience}');
      const token = (await stage.kubectl('create', 'token', 'default', `--audience=${own}`)).trim();
      const address = `http://broker-ingress.knative-eventing.svc.cluster.local/${stage.namespace}/default`;
      const load = await stage.load(address, `Bearer ${token}`, 'order.created');
      await load.start();
      const { headers } = await stage.next();
      expect(headers).toMatchObject({ 'ce-type': 'order.created' });
      await load.stop();
    } finally {
      await features('disabled');
    }
  });
});

test('a trigger with an audience takes events by the tokens of its subjects alone', async () => {
  await using stage = await setStage();
  const audience = `signalbox.dev/eventtrigger/${stage.namespace}/guarded`;
  const subjects = [`system:serviceaccount:${stage.namespace}:default`];
  await stage.apply(
    forward('guarded', `${stage.farEnd}/in`, { from: [{ cluster: { audience, subjects } }] }),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'other' } },
  );
  await stage.live('et/guarded');
  expect(await stage.kubectl('get', 'et/guarded', '-o', 'jsonpath={.status.address.audience}')).toBe(
    audience,
  );
  const token = (account: string, of: string) =>
    stage.kubectl('create', 'token', account, `--audience=${of}`).then((text) => `Bearer ${text.trim()}`);
  const address = `http://${RELEASE}-receiver.${NAMESPACE}.svc.cluster.local/triggers/${stage.namespace}/guarded`;
  const refusedAs = async (status: string, authorization: string): Promise<void> => {
    const load = await stage.load(address, authorization);
    await load.start();
    await expect.poll(async () => Object.keys((await load.look()).refusals), POLL).toEqual([status]);
    expect((await load.stop()).acknowledged).toEqual([]);
    await stage.kubectl('delete', 'pod/load');
  };
  await refusedAs('401', '');
  await refusedAs('401', await token('default', 'another'));
  await refusedAs('403', await token('other', audience));
  const load = await stage.load(address, await token('default', audience));
  await load.start();
  await stage.next();
  const { refusals } = await load.stop();
  expect(refusals).toEqual({});
});
