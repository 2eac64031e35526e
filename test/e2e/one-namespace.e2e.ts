import { afterAll, expect, test } from 'vitest';
import { command } from './command.ts';
import { forward, resource } from './objects.ts';
import { inRelease, install, NAMESPACE, RELEASE } from './release.ts';
import { type Stage, setStage } from './stage.ts';

/** The status of an event that is sent to a trigger's own address. */
async function sent(stage: Stage, trigger: string, id: string): Promise<number> {
  const answer = await stage.request(`${RELEASE}-receiver:http`, `/triggers/${stage.namespace}/${trigger}`, {
    namespace: NAMESPACE,
    method: 'POST',
    headers: { 'ce-specversion': '1.0', 'ce-type': 'order.paid', 'ce-source': '/shop', 'ce-id': id },
  });
  return answer.status;
}

/** What tells one start of the receiver from another. */
async function receiverRuns(): Promise<string> {
  const path = '{range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{"\\n"}{end}';
  return inRelease('get', 'pods', '-l', 'app.kubernetes.io/component=receiver', '-o', `jsonpath=${path}`);
}

afterAll(async () => {
  // As the other files expect it.
  await install();
});

test('restricted to one namespace: a trigger there goes live, one elsewhere counts for nothing', async () => {
  await using watched = await setStage();
  await using elsewhere = await setStage();
  await install(`watchNamespace=${watched.namespace}`);
  const ours = [
    'clusterrole,clusterrolebinding',
    '-l',
    `app.kubernetes.io/instance=${RELEASE}`,
    '-o',
    'name',
  ];
  expect(await command('kubectl', ['get', ...ours])).toBe('');

  await elsewhere.apply(forward('ignored', elsewhere.farEnd));
  await watched.apply(forward('taken', watched.farEnd));
  await watched.live('et/taken');
  expect(await sent(watched, 'taken', 'one')).toBe(202);
  expect((await watched.next()).headers['ce-id']).toBe('one');
  expect(await elsewhere.kubectl('get', 'et/ignored', '-o', 'jsonpath={.status}')).toBe('');
  expect(await sent(elsewhere, 'ignored', 'two')).toBe(404);
  expect(await elsewhere.arrivals()).toEqual([]);

  // What a target's ref names may change while all goes on.
  const service = { apiVersion: 'v1', kind: 'Service', name: 'far-end' };
  await watched.apply(
    resource('EventTrigger', 'by-name', { target: { sink: { ref: service, uri: '/in' } } }),
  );
  await watched.live('et/by-name');
  const before = await receiverRuns();
  const ports = [{ name: 'http', port: 8600, targetPort: 8585 }];
  await watched.kubectl(
    'patch',
    'service/far-end',
    '--type=merge',
    '-p',
    JSON.stringify({ spec: { ports } }),
  );
  const uri = ['wait', 'et/by-name', '--timeout=60s'];
  await watched.kubectl(
    ...uri,
    `--for=jsonpath={.status.targetUri}=${watched.farEnd.replace('8585', '8600')}/in`,
  );
  await watched.live('et/by-name');
  expect(await sent(watched, 'by-name', 'three')).toBe(202);
  expect((await watched.next()).headers['ce-id']).toBe('three');
  expect(await receiverRuns()).toBe(before);
});
