import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, noDatabase, startDatabase } from './database.ts';
import { forward } from './objects.ts';
import { inRelease, install, NAMESPACE, RELEASE, remove } from './release.ts';
import { setStage } from './stage.ts';
import { underLoad } from './under-load.ts';

const RECEIVERS = `deployment/${RELEASE}-receiver`;
const EMBEDDED = `${RELEASE}-receiver-0`;
/** Of the pod that sends. */
const SENDERS = 4;
const SIGNALBOX = ['node', '/app/signalbox.js'] as const;

async function scaledTo(count: number): Promise<void> {
  await inRelease('scale', RECEIVERS, `--replicas=${count}`);
  await inRelease('rollout', 'status', RECEIVERS, '--timeout=120s');
}

const reason = noDatabase === undefined ? '' : ` (left out: ${noDatabase})`;

describe.skipIf(noDatabase !== undefined)(`receivers that share a PostgreSQL${reason}`, () => {
  let database: Database;

  beforeAll(async () => {
    database = await startDatabase();
    await remove();
    await install('journal.engine=postgres', 'receiver.replicas=3', ...(await database.values('fresh')));
  });

  afterAll(async () => {
    // As the other files expect it.
    await install();
    await database[Symbol.asyncDispose]();
  });

  test('installed with three of them at once, a signed event becomes a job', async () => {
    await using stage = await setStage();
    await stage.apply(await stage.example('stripe-to-job.yaml'));
    await stage.live('et/fulfil-payment', 'whs/stripe');
    const payment = ['--scheme', 'Stripe', '--data', '@examples/events/stripe-payment.json'];
    expect(await stage.send('stripe', ...payment, '--secret', 'whsec_test_secret')).toMatchObject({
      status: 202,
    });
    expect((await stage.next()).path).toBe('/ojs/v1/jobs');
  });

  test('scaled from one to three and back, one of them killed: nothing acknowledged is lost', async () => {
    await scaledTo(1);
    await underLoad(async ({ flows }) => {
      await scaledTo(3);
      await flows();
      const pods = await inRelease('get', 'pods', '-l', 'app.kubernetes.io/component=receiver', '-o', 'name');
      await inRelease('delete', pods.split('\n')[0] ?? '', '--force', '--grace-period=0');
      await flows();
      await scaledTo(1);
      await flows();
    });
  });

  test('the database away: 503 with Retry-After, and on from there when it is back', async () => {
    await scaledTo(2);
    await underLoad(async ({ stage, load }) => {
      await using away = await database.kill();
      await expect
        .poll(async () => (await load.look()).refusals['503'] ?? 0, { timeout: 60_000 })
        .toBeGreaterThan(20);
      const answer = await stage.request(`${RELEASE}-receiver:http`, `/triggers/${stage.namespace}/load`, {
        namespace: NAMESPACE,
        method: 'POST',
        headers: { 'ce-specversion': '1.0', 'ce-type': 'load.sent', 'ce-source': '/load', 'ce-id': 'asked' },
      });
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      await away[Symbol.asyncDispose]();
      await stage.apply(forward('afterwards', stage.farEnd));
      await stage.live('et/afterwards');
    });
  });

  test('an embedded journal is moved under load: nothing acknowledged is lost, all is counted', async () => {
    // Another try finds neither what this one copied nor its backup.
    const name = `moved_${randomBytes(4).toString('hex')}`;
    const backup = `/var/lib/signalbox/${name}`;
    const to = await database.values(name);
    await install(...to);
    let namespace = '';
    const { acknowledged } = await underLoad(async ({ stage, load, flows }) => {
      namespace = stage.namespace;
      const inPod = (...args: readonly string[]) => inRelease('exec', EMBEDDED, '--', ...SIGNALBOX, ...args);
      await inPod('journal', 'backup', '--data', '/var/lib/signalbox', '--to', backup);
      const files = '/etc/signalbox/postgres';
      const url = `${database.url(name)}?sslrootcert=${files}/ca.crt`;
      const password = ['--journal-password-file', `${files}/password`];
      console.log(await inPod('journal', 'copy', '--from', backup, '--to', url, ...password));
      await flows();
      await load.pause();
      // Whoever changes the engine alone would leave behind what waits in the journal.
      const unmoved = install('journal.engine=postgres', ...to);
      await expect(unmoved).rejects.toThrow(/name the claim in journal\.moveFrom/);
      await inRelease('scale', `statefulset/${RELEASE}-receiver`, '--replicas=0');
      await inRelease('wait', '--for=delete', `pod/${EMBEDDED}`, '--timeout=60s');
      await install(
        'journal.engine=postgres',
        `journal.moveFrom=data-${EMBEDDED}`,
        'receiver.replicas=2',
        ...to,
      );
      await flows();
      console.log(`no event was taken for ${await load.pause()} ms of the move`);
    });
    // Once each, whether it was taken by the one journal or by the other; senders were cut off in the middle of a few.
    const accepted = `FROM signalbox.event JOIN signalbox.name ON name.id = entrance WHERE text LIKE '%${namespace}%'`;
    const events = Number(await database.one(name, `SELECT count(*) ${accepted}`));
    const waiting = Number(await database.one(name, 'SELECT count(*) FROM signalbox.waiting'));
    console.log(
      `${acknowledged.length} acknowledged; the database holds ${events} events of them, ${waiting} deliveries wait`,
    );
    expect(events).toBeGreaterThanOrEqual(acknowledged.length);
    expect(events).toBeLessThanOrEqual(acknowledged.length + SENDERS);
  });
});
