import { expect, it } from 'vitest';
import { manifestRules } from '../../cli/run/rules.ts';
import { advance, EMPTY_SESSION } from '../../cli/run/session.ts';
import { setStage, work } from './stage.ts';

it.each([[['websocket', 'list']], [['events']]] as const)(
  'a value stream goes on when the job of its step is done, with %j',
  async (have) => {
    await using stage = await setStage({ have });
    const { destination } = stage.sink();
    const text = `
apiVersion: signalbox.dev/v1alpha1
kind: EventBridge
metadata: { name: results, namespace: jobs }
spec: { source: { ojs: { uri: "${stage.backend.url}", pollInterval: 50ms } } }
---
apiVersion: signalbox.dev/v1alpha1
kind: EventTrigger
metadata: { name: ship, namespace: jobs }
spec:
  steps:
    - name: pack
      target: { job: { uri: "${stage.backend.url}", type: order.pack } }
    - name: tell
      waitFor: { job: { step: pack, eventBridge: { name: results } } }
      target: { sink: { uri: "${destination.url}", format: structured } }
`;
    const rules = manifestRules({
      resolve: new Map(),
      publicUrl: '',
      clusterUrl: '',
      now: Date.now,
      egress: { allowLoopback: true },
    });
    const { table, problems } = advance(
      EMPTY_SESSION,
      { files: [{ path: 'stream.yaml', text }], problems: [] },
      rules,
    );
    expect(problems).toEqual([]);
    stage.receiver().apply(table!);
    await stage.reading();
    const started = await fetch(`${stage.receiver().addresses.cluster}/triggers/jobs/ship`, {
      method: 'POST',
      body: '{"order":1}',
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': '1',
        'ce-source': '/shop',
        'ce-type': 'order.paid',
      },
    });
    expect(started.status).toBe(202);
    await stage.until(() => stage.backend.jobs.list().length === 1);
    const [job] = stage.backend.jobs.list();
    work(stage.backend, { parcel: 7 });
    await stage.until(() => stage.events.length === 1);
    expect(stage.events[0]).toMatchObject({
      type: 'org.openjobspec.job.completed',
      subject: job?.id,
      data: { result: { parcel: 7 } },
    });
  },
);
