import { expect, test } from 'vitest';
import { setStage } from './stage.ts';

const STRIPE = ['--scheme', 'Stripe', '--data', '@examples/events/stripe-payment.json'];
const ORDER = ['--scheme', 'Emporix', '--secret', 's3cr3t', '--data', '{"order":"A-1001",  "total":49.990}'];

test('a signed event becomes a job, another is forwarded byte by byte', async () => {
  await using stage = await setStage();
  await stage.apply(await stage.example('stripe-to-job.yaml'), await stage.example('forward-to-sink.yaml'));
  await stage.live('et/fulfil-payment', 'et/orders-to-analytics', 'whs/stripe', 'whs/storefront-events');

  expect(await stage.send('stripe', ...STRIPE, '--secret', 'whsec_test_secret')).toMatchObject({
    status: 202,
  });
  const job = await stage.next();
  expect(job.path).toBe('/ojs/v1/jobs');
  expect(JSON.parse(job.body)).toMatchObject({ type: 'payment.fulfill', args: ['pi_123', 4999] });

  const order = [...ORDER, '--type', 'order.paid', '--id', 'o-1', '--mode', 'binary'];
  expect(await stage.send('storefront-events', ...order)).toMatchObject({ status: 202 });
  const event = await stage.next();
  expect(event).toMatchObject({ path: '/analytics', body: '{"order":"A-1001",  "total":49.990}' });
  expect(event.headers).toMatchObject({ 'ce-id': 'o-1', 'ce-type': 'order.paid' });

  expect(await stage.send('stripe', ...STRIPE, '--secret', 'not it')).toMatchObject({ status: 401 });
});

test('kubectl get tells whether it works, where to send, and what is wrong', async () => {
  await using stage = await setStage();
  await stage.apply(await stage.example('stripe-to-job.yaml'));
  await stage.live('et/fulfil-payment', 'whs/stripe');
  const triggers = await stage.kubectl('get', 'et');
  expect(triggers).toMatch(/^NAME\s+READY\s+REASON/);
  expect(triggers).toMatch(/fulfil-payment\s+True\s+Live/);
  const secrets = await stage.kubectl('get', 'whs');
  expect(secrets).toMatch(new RegExp(`stripe\\s+True\\s+Live.*/e/${stage.namespace}\\.stripe`));
  process.stdout.write(`${triggers}${secrets}${await stage.kubectl('get', 'signalbox')}`);
  await stage.kubectl('delete', 'secret/payments');
  await stage.refused('whs/stripe');
  expect(await stage.kubectl('describe', 'whs/stripe')).toMatch(/Secret "payments" does not exist/);
});
