import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Arrival, openTarget } from '../../cli/listen/target.ts';
import { manifestRules } from '../../cli/run/rules.ts';
import { advance, EMPTY_SESSION } from '../../cli/run/session.ts';
import { inbox } from '../../cli/testing/inbox.ts';
import { setStage } from './stage.ts';

const PAGE = readFileSync(new URL('../../docs/tasks/open-job-spec.md', import.meta.url), 'utf8');
const MANIFESTS = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);

it('what the interop page configures, the manifests beside it do', async () => {
  await using stage = await setStage({ have: [] });
  const arrivals = inbox<Arrival>();
  const target = await openTarget({
    address: { host: '127.0.0.1', port: 0 },
    fail: 0,
    arrived: arrivals.add,
    now: () => new Date(),
    id: () => 'job-1',
  });
  try {
    const trigger = MANIFESTS.find((yaml) => yaml.includes('kind: EventTrigger')) ?? '';
    const secret =
      'apiVersion: v1\nkind: Secret\nmetadata: { name: interop, namespace: jobs }\nstringData: { token: t0ken }\n';
    const text = `${trigger.replaceAll('http://ojs.jobs.svc:8080', target.url)}---\n${secret}`;
    const rules = manifestRules({
      resolve: new Map(),
      publicUrl: '',
      clusterUrl: '',
      now: Date.now,
      egress: { allowLoopback: true },
    });
    const { table, problems } = advance(
      EMPTY_SESSION,
      { files: [{ path: 'page.yaml', text }], problems: [] },
      rules,
    );
    expect(problems).toEqual([]);
    stage.receiver().apply(table!);
    const event = (id: string) =>
      `{"specversion":"1.0","id":"${id}","source":"https://api.stripe.com/v1","type":"com.stripe.payment.succeeded","data":{"payment_id":"pi_123","amount":4999}}`;
    const send = (path: string, body: string, kind: string) =>
      fetch(`${stage.receiver().addresses.public}/ojs/v1/cloudevents${path}`, {
        method: 'POST',
        body,
        headers: { authorization: 'Bearer t0ken', 'content-type': kind },
      });
    expect((await send('', event('evt_1'), 'application/cloudevents+json')).status).toBe(202);
    const { job } = await arrivals.next((one) => one.job !== undefined);
    expect(JSON.stringify({ type: job?.type, args: job?.args })).toBe(
      '{"type":"payment.fulfill","args":["pi_123",4999]}',
    );
    // One of a batch was seen already; another has no type, and stops nobody.
    const broken = '{"specversion":"1.0","id":"x","source":"/s"}';
    const batch = `[${event('evt_1')},${broken},${event('evt_2')},${event('evt_3')}]`;
    const answered = await send('/batch', batch, 'application/cloudevents-batch+json');
    expect(answered.status).toBe(202);
    await arrivals.next(() => arrivals.all.filter((one) => one.job !== undefined).length === 3);
  } finally {
    await target.close(0);
  }
});
