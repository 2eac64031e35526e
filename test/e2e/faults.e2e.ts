import { expect, test } from 'vitest';
import { optionDuration } from '../../cli/duration.ts';
import { hasNode, restartNode, stopApiServer } from './node.ts';
import { forward } from './objects.ts';
import { inRelease, install, RELEASE, rollback } from './release.ts';
import { setStage } from './stage.ts';
import { underLoad } from './under-load.ts';

test('receiver and operator pods killed at random under load: nothing acknowledged is lost', async () => {
  await underLoad(async ({ flows }) => {
    for (let i = 0; i < 3; i += 1) {
      await inRelease('delete', 'pod', `${RELEASE}-receiver-0`, '--force', '--grace-period=0');
      await flows();
    }
    await inRelease('delete', 'pod', '-l', 'app.kubernetes.io/component=operator', '--force');
    await flows();
  });
});

test('helm upgrade and rollback with events in flight: nothing acknowledged is lost', async () => {
  await underLoad(async ({ flows }) => {
    await install('receiver.podAnnotations.upgraded=yes', 'operator.podAnnotations.upgraded=yes');
    await flows();
    await rollback();
  });
});

test('the leader gone: another operator takes over, and changes go live again', async () => {
  await using stage = await setStage();
  const lease = async () =>
    (await inRelease('get', 'lease/signalbox-operator', '-o', 'jsonpath={.spec.holderIdentity}')).trim();
  for (const how of [['--force', '--grace-period=0'], []]) {
    const leader = await lease();
    await inRelease('delete', 'pod', leader, '--wait=false', ...how);
    const began = Date.now();
    await expect.poll(lease, { timeout: 60_000, interval: 50 }).not.toBe(leader);
    await expect.poll(lease, { timeout: 60_000, interval: 50 }).not.toBe('');
    const took = Date.now() - began;
    await stage.apply(forward(`after-${how.length}`, stage.farEnd));
    await stage.live(`et/after-${how.length}`);
    console.log(`leader ${how.length === 0 ? 'asked to end' : 'killed'}: another leads after ${took} ms`);
    await inRelease('rollout', 'status', `deployment/${RELEASE}-operator`, '--timeout=60s');
  }
});

test.skipIf(!hasNode())('kubelet and containerd restarted: nothing acknowledged is lost', async () => {
  await underLoad(async () => {
    await restartNode();
    // Pods that run need neither of the two; one that is new does.
    await inRelease('rollout', 'restart', `deployment/${RELEASE}-operator`);
    await inRelease('rollout', 'status', `deployment/${RELEASE}-operator`, '--timeout=120s');
  });
});

/**
 * How long the API server is away. Ten minutes, as in a botched upgrade of a control plane, take a hand:
 *
 *     SIGNALBOX_E2E_OUTAGE=600s test/e2e/on-this-machine faults --testNamePattern='API server'
 */
const OUTAGE_MS = optionDuration(process.env['SIGNALBOX_E2E_OUTAGE'] ?? '20s') ?? Number.NaN;

test.skipIf(!hasNode())(
  'the API server away: events flow, and a change made after it counts',
  async () => {
    await underLoad(async ({ stage }) => {
      await using away = await stopApiServer();
      // What reaches the far end meanwhile is asked for afterwards: here every question goes by the API server.
      await new Promise((resolve) => setTimeout(resolve, OUTAGE_MS));
      const back = Date.now();
      await away[Symbol.asyncDispose]();
      const answers = Date.now() - back;
      await stage.apply(forward('afterwards', stage.farEnd));
      await stage.live('et/afterwards');
      console.log(
        `API server away for ${OUTAGE_MS / 1000} s; started again it answers after ${answers} ms, a change is live after ${Date.now() - back} ms`,
      );
    });
  },
  OUTAGE_MS + 300_000,
);
