import { expect, test } from 'vitest';
import { applyDefinitions } from '../apiserver/definitions.ts';
import { startApiServer } from '../apiserver/server.ts';
import { describeWithServer } from '../apiserver/suite.ts';
import { setStage } from './stage.ts';

const STRIPE = ['--scheme', 'Stripe', '--data', '@examples/events/stripe-payment.json'];
const GITHUB = '--scheme GitHub --event push --data @examples/events/github-push.json --secret'
  .split(' ')
  .concat("It's a Secret to Everybody");
const ORDER = ['--scheme', 'Emporix', '--secret', 's3cr3t', '--data', '{"order":"A-1001",  "total":49.990}'];

/** A Secret of stripe-to-job.yaml with these keys. */
function keys(current: string, next: string): string {
  const stringData = { current, next, token: 'ojs-token' };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'payments' }, stringData });
}

describeWithServer('the main job, on a real API server', (server) => {
  test('a signed event becomes one job, or one forwarded CloudEvent', async () => {
    await using stage = await setStage(server);
    for (const file of ['stripe-to-job.yaml', 'github-to-build.yaml', 'forward-to-sink.yaml'])
      await stage.apply(await stage.example(file));
    await stage.live('et/fulfil-payment', 'et/build-main', 'et/orders-to-analytics', 'whs/stripe');

    const paid = await stage.send('stripe', [...STRIPE, '--secret', 'whsec_test_secret']);
    expect(paid).toMatchObject({
      status: 202,
      answer: { events: [{ triggers: [`${stage.namespace}/fulfil-payment`] }] },
    });
    const { job } = await stage.arrivals.next(({ job: arrived }) => arrived?.type === 'payment.fulfill');
    expect(job).toMatchObject({ args: ['pi_123', 4999], options: { queue: 'billing' } });

    expect(await stage.send('github', GITHUB)).toMatchObject({ status: 202 });
    const build = await stage.arrivals.next(({ job: arrived }) => arrived?.type === 'build.trigger');
    expect(build.job?.args).toMatchObject([{ cost: '$5' }]);

    const order = [...ORDER, '--type', 'order.paid', '--id', 'o-1', '--mode', 'binary'];
    expect(await stage.send('storefront-events', order)).toMatchObject({ status: 202 });
    const { event } = await stage.arrivals.next(({ path }) => path === '/analytics');
    expect(event?.attributes).toMatchObject({ id: 'o-1', type: 'order.paid' });
    expect(event?.data?.toString()).toBe('{"order":"A-1001",  "total":49.990}');

    expect(await stage.send('stripe', [...STRIPE, '--secret', 'not it'])).toMatchObject({
      status: 401,
      answer: { error: { code: expect.any(String) } },
    });
    expect(stage.arrivals.all).toHaveLength(3);
  });

  test('a change, a rotation and a deletion count without a restart', async () => {
    await using stage = await setStage(server);
    await stage.apply(await stage.example('stripe-to-job.yaml'));
    await stage.live('et/fulfil-payment', 'whs/stripe');
    const send = async (secret: string) =>
      (await stage.send('stripe', [...STRIPE, '--secret', secret])).status;

    // Rotation: both keys verify, then the old one is taken away with its Secret's key.
    expect(await send('whsec_other_secret')).toBe(202);
    await stage.apply(keys('whsec_third', 'whsec_other_secret'));
    await expect.poll(() => send('whsec_third'), { timeout: 60_000 }).toBe(202);
    expect(await send('whsec_test_secret')).toBe(401);
    expect(await send('whsec_other_secret')).toBe(202);

    // A change of what the event becomes.
    const [trigger = ''] = (await stage.example('stripe-to-job.yaml')).split('---');
    const renamed = trigger.replaceAll('payment.fulfill', 'payment.book');
    await stage.apply(renamed);
    await stage.live('et/fulfil-payment');
    expect(await send('whsec_third')).toBe(202);
    const types = () => stage.arrivals.all.map(({ job }) => job?.type);
    // The same event again is a duplicate; one of its own id makes the new job.
    expect(types()).toEqual(['payment.fulfill']);
    const paid = (n: number) => [
      '--scheme=Stripe',
      '--secret=whsec_third',
      '--data',
      `{"id":"evt_${n}","type":"payment_intent.succeeded","data":{"object":{"id":"pi_${n}","amount":1}}}`,
    ];
    expect(await stage.send('stripe', paid(2))).toMatchObject({ status: 202 });
    await stage.arrivals.next(({ job }) => job?.type === 'payment.book');

    // A bad edit leaves the good one at work, and says so.
    await stage.apply(renamed.replace('prefix: { type: com.stripe.payment }', 'cesql: "type ="'));
    await stage.kubectl(['wait', '--for=condition=Ready=false', '--timeout=60s', 'et/fulfil-payment']);
    const said = await stage.kubectl([
      'get',
      'et/fulfil-payment',
      '-o',
      'jsonpath={.status.conditions[*].message}',
    ]);
    expect(said).toMatch(/still serves/);
    expect((await stage.send('stripe', paid(3))).answer.events?.[0]?.triggers).toHaveLength(1);
    await stage.arrivals.next(({ job }) => job?.args[0] === 'pi_3');

    await stage.kubectl(['delete', 'et/fulfil-payment']);
    const triggers = async () => (await stage.send('stripe', paid(4))).answer.events?.[0]?.triggers.length;
    await expect.poll(triggers, { timeout: 60_000 }).toBe(0);
    await stage.kubectl(['delete', 'secret/payments']);
    await expect.poll(() => send('whsec_third'), { timeout: 60_000 }).toBe(503);
    await stage.kubectl(['delete', 'whs/stripe']);
    await expect.poll(() => send('whsec_third'), { timeout: 60_000 }).toBe(404);

    expect(await stage.receiver().stop()).toBe(0);
    expect(await stage.operator.stop()).toBe(0);
  });
});

describeWithServer('the main job, while the API server is away', ({ programs }) => {
  test('goes on, and starts from the last good table', { timeout: 180_000 }, async () => {
    await using server = await startApiServer(programs);
    await applyDefinitions(server);
    await using stage = await setStage(server);
    await stage.apply(await stage.example('forward-to-sink.yaml'));
    await stage.live('et/orders-to-analytics', 'whs/storefront-events');
    const order = (id: string) => [...ORDER, '--type', 'order.paid', '--id', id];

    await server.kill();
    expect(await stage.send('storefront-events', order('away'))).toMatchObject({ status: 202 });
    await stage.arrivals.next(({ event }) => event?.attributes['id'] === 'away');

    await stage.receiver().stop('SIGKILL');
    await stage.startReceiver();
    expect(await stage.send('storefront-events', order('restarted'))).toMatchObject({ status: 202 });
    await stage.arrivals.next(({ event }) => event?.attributes['id'] === 'restarted');

    await server.restart();
    await stage.apply((await stage.example('forward-to-sink.yaml')).replaceAll('/analytics', '/elsewhere'));
    const path = async (id: string) => {
      await stage.send('storefront-events', order(id));
      return (await stage.arrivals.next(({ event }) => event?.attributes['id'] === id)).path;
    };
    let n = 0;
    await expect.poll(() => path(`back-${n++}`), { timeout: 60_000 }).toBe('/elsewhere');
  });
});
