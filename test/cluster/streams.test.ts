import { expect, test } from 'vitest';
import { describeWithServer } from '../apiserver/suite.ts';
import { type ClusterStage, setStage } from './stage.ts';

const EMPORIX = ['--scheme', 'Emporix', '--secret', 's3cr3t', '--mode', 'binary'];
const STANDARD = ['--scheme', 'StandardWebhooks', '--secret', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'];

async function instancesOf(
  stage: ClusterStage,
  source: string,
  args: readonly string[],
): Promise<readonly string[]> {
  const { status, answer } = await stage.send(source, args);
  expect(status).toBe(202);
  return answer.events?.[0]?.instances ?? [];
}

describeWithServer('value streams, on a real API server', (server) => {
  test('an instance sleeps over a receiver that is killed, and wakes by its id', async () => {
    await using stage = await setStage(server);
    const text = await stage.example('emporix-value-stream.yaml');
    // The name of an endpoint is unique in the cluster, which other tests share.
    await stage.apply(text.replace(/^ *source: .*\n/m, ''));
    await stage.live('et/order-fulfilment', 'whs/emporix');
    const created = [...EMPORIX, '--type', 'order.created', '--id', '1', '--data', '{"order":"A-1"}'];
    const [id = ''] = await instancesOf(stage, 'emporix', created);
    const reserve = await stage.arrivals.next(({ path }) => path === '/reserve');
    expect(reserve.event?.attributes['instanceid']).toBe(id);

    await stage.receiver().stop('SIGKILL');
    await stage.startReceiver();
    const paid = [...EMPORIX, '--type', 'payment.captured', '--id', '2', '--data', '{"amount":5}'];
    await expect
      .poll(
        () => stage.send('emporix', [...paid, '--attribute', `instanceid=${id}`]).catch(() => undefined),
        {
          timeout: 60_000,
        },
      )
      .toMatchObject({ status: 202, answer: { events: [{ instances: [id] }] } });
    const ship = await stage.arrivals.next(({ path }) => path === '/ship');
    expect(ship.event?.attributes).toMatchObject({ id: '2', instanceid: id });
  });

  test('one rule starts or wakes, whichever event is first', async () => {
    await using stage = await setStage(server);
    await stage.apply(await stage.example('start-or-wake.yaml'));
    await stage.live('et/order-saga', 'whs/orders');
    const send = (type: string, id: string, data: object) =>
      instancesOf(stage, 'orders', [...STANDARD, '--type', type, '--id', id, '--data', JSON.stringify(data)]);
    expect(await send('order.approved', '1', { orderId: 'O-1' })).toEqual([]);
    const [id = ''] = await send('order.created', '2', { orderId: 'O-1' });
    expect(await send('stock.reserved', '3', { orderId: 'O-1', warehouse: 'W2' })).toEqual([id]);
    const charge = await stage.arrivals.next(({ job }) => job?.type === 'payment.charge');
    expect(charge.job).toMatchObject({ args: ['O-1', 'W2'], meta: { instance_id: id } });
  });

  test('a stream that cannot work says why', async () => {
    await using stage = await setStage(server);
    const text = await stage.example('emporix-value-stream.yaml');
    const bad = text
      .replace(/^ *source: .*\n/m, '')
      .replace(
        '          - exact: { type: payment.captured }',
        '          - exact: { type: a }\n          - exact: { type: b }',
      );
    await stage.apply(bad);
    await stage.kubectl(['wait', '--for=condition=Ready=False', '--timeout=60s', 'et/order-fulfilment']);
    const path = '{.status.conditions[?(@.type=="Ready")].message}';
    expect(await stage.kubectl(['get', 'et', 'order-fulfilment', '-o', `jsonpath=${path}`])).toContain(
      'spec.steps[1].waitFor.filters: can never match: type would have to be "a" and "b"',
    );
  });
});
