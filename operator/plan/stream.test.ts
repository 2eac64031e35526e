import { describe, expect, it } from 'vitest';
import { planEventTrigger } from './event-trigger.ts';
import type { EventTriggerSpec, Step } from './resources.ts';
import { eventTrigger, eventTriggerInput, secrets } from './testing.ts';

const SINK = { sink: { uri: 'http://sink.example/in' } };
const JOB = { job: { uri: 'http://ojs.example', type: 'stock.reserve' } };
const PAID = [{ exact: { type: 'payment.captured' } }];

function step(name: string, more: Partial<Step> = {}): Step {
  return { name, target: SINK, ...more };
}

function stream(steps: Step[], more: Partial<EventTriggerSpec> = {}) {
  const { target: _, ...spec } = eventTrigger(more).spec;
  return { ...eventTrigger(), spec: { ...spec, steps } };
}

function plan(steps: Step[], more: Partial<EventTriggerSpec> = {}) {
  return planEventTrigger(eventTriggerInput({ resource: stream(steps, more) }));
}

describe('a value stream', () => {
  it('is live without a target of its own, and gets its defaults', () => {
    const { entry, ready, status } = plan([step('reserve'), step('ship', { waitFor: { filters: PAID } })]);
    expect(ready).toMatchObject({ status: 'True', reason: 'Live' });
    expect(status.targetUri).toBeUndefined();
    expect(entry).toMatchObject({
      shape: { sink: { format: 'binary' } },
      stream: {
        onStart: 'Always',
        keyRetentionMs: 86_400_000,
        inbox: { events: 100, bytes: 1_048_576, retentionMs: 86_400_000 },
        steps: [
          { name: 'reserve', destination: { kind: 'sink', url: 'http://sink.example/in' } },
          { name: 'ship', wait: { filters: PAID }, shape: { sink: { format: 'binary' } } },
        ],
      },
    });
  });

  it('reads durations, waits and its own delivery before the trigger\u2019s', () => {
    const { entry } = plan(
      [
        step('a', { waitFor: { sleep: '1h' } }),
        step('b', {
          waitFor: { any: [{ name: 'x', filters: PAID }], timeout: '2m', onTimeout: 'Continue' },
          delivery: { retry: 3 },
          input: 'Answer',
        }),
      ],
      { delivery: { retry: 10, timeout: '5s' } },
    );
    expect(entry).toMatchObject({
      stream: {
        steps: [
          { wait: { sleepMs: 3_600_000 }, policy: { retry: 10, timeoutMs: 5000 } },
          {
            wait: { any: [{ name: 'x' }], timeoutMs: 120_000, onTimeout: 'Continue' },
            policy: { retry: 3, timeoutMs: 5000 },
            input: 'Answer',
          },
        ],
      },
    });
  });

  it('keeps its running steps apart where one cannot be reached, and says which', () => {
    const auth = { secretKeyRef: { name: 'ojs', key: 'token' } };
    const { entry, ready } = plan([step('a'), step('b', { target: { job: { ...JOB.job, auth } } })]);
    expect(ready).toMatchObject({ status: 'False' });
    expect(ready.message).toContain('spec.steps[1].target.job.auth');
    expect(entry?.kind === 'EventTrigger' && entry.stream?.steps[0]?.destination.unresolved).toBeUndefined();
  });

  it('takes a rotated credential of a step although its edit is refused', () => {
    const auth = { secretKeyRef: { name: 'ojs', key: 'token' } };
    const withAuth = step('a', { target: { job: { ...JOB.job, auth } } });
    const first = planEventTrigger(
      eventTriggerInput({ resource: stream([withAuth]), secrets: secrets({ ojs: { token: 'one' } }) }),
    );
    const previous = first.entry?.kind === 'EventTrigger' ? first.entry : undefined;
    const bad = stream([{ ...withAuth, condition: 'data.' }]);
    const second = planEventTrigger(
      eventTriggerInput({ resource: bad, previous, secrets: secrets({ ojs: { token: 'two' } }) }),
    );
    expect(second.ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(second.entry).toMatchObject({
      stream: { steps: [{ destination: { headers: [{ name: 'Authorization', value: 'Bearer two' }] } }] },
    });
  });
});

describe('a wait for a job', () => {
  const awaits = (eventBridge: string) =>
    plan([
      step('first', { target: JOB }),
      step('then', { waitFor: { job: { step: 'first', eventBridge: { name: eventBridge } } } }),
    ]);

  it('is live where its bridge is there', () => {
    expect(awaits('results').ready).toMatchObject({ status: 'True', reason: 'Live' });
  });

  it('is not met while its bridge is missing: the rest runs, and the status names the field', () => {
    const { entry, ready } = awaits('later');
    expect(entry).toMatchObject({ stream: { steps: [{}, { wait: { job: { eventBridge: 'later' } } }] } });
    expect(ready).toMatchObject({ status: 'False', reason: 'RefNotFound' });
    expect(ready.message).toContain(
      'spec.steps[1].waitFor.job.eventBridge.name: EventBridge "later" does not exist in this namespace',
    );
  });
});

describe('a wait for a job whose bridge leaves its end out', () => {
  const steps = [
    step('first', { target: JOB }),
    step('then', { waitFor: { job: { step: 'first', eventBridge: { name: 'results' } } } }),
  ];
  const through = (...filters: string[]) =>
    planEventTrigger(eventTriggerInput({ resource: stream(steps), eventBridge: () => ({ filters }) }));

  it.each([['job.created'], ['worker.*']])('is refused with filters: [%s]', (filter) => {
    const { entry, ready, findings } = through(filter);
    expect(entry).toBeUndefined();
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(findings).toMatchObject([
      {
        field: 'spec.steps[1].waitFor.job.eventBridge.name',
        message: expect.stringContaining('it can never match: the filters of EventBridge "results"'),
      },
    ]);
  });

  it.each([['job.*'], ['job.completed'], ['*']])('is live with filters: [%s]', (filter) => {
    expect(through('worker.*', filter).ready).toMatchObject({ status: 'True', reason: 'Live' });
  });
});

describe('what is refused', () => {
  it.each<[string, string, Step[], Partial<EventTriggerSpec>?]>([
    ['spec.steps[1].name', 'is the name of spec.steps[0].name already', [step('a'), step('a')]],
    ['spec.steps[0].name', 'reserved', [step('start')]],
    [
      'spec.steps[1].waitFor.any[0].name',
      'is the name of spec.steps[0].name already',
      [step('a'), step('b', { waitFor: { any: [{ name: 'a', filters: PAID }] } })],
    ],
    [
      'spec.steps[0].waitFor.filters',
      'can never match: type would have to be "payment.captured" and "x"',
      [step('a', { waitFor: { filters: [...PAID, { exact: { type: 'x' } }] } })],
    ],
    [
      'spec.steps[0].waitFor.correlate',
      'instances have no key',
      [step('a', { waitFor: { filters: PAID, correlate: 'data.id' } })],
    ],
    [
      'spec.steps[0].waitFor.job.step',
      'is no earlier step',
      [
        step('a', { waitFor: { job: { step: 'b', eventBridge: { name: 'x' } } } }),
        step('b', { target: JOB }),
      ],
    ],
    [
      'spec.steps[1].waitFor.job.step',
      'starts no job',
      [step('a'), step('b', { waitFor: { job: { step: 'a', eventBridge: { name: 'x' } } } })],
    ],
    ['spec.steps[0].condition', 'is no valid CEL', [step('a', { condition: 'data.' })]],
    [
      'spec.steps[0].waitFor.sleepUntil',
      'is no valid CEL',
      [step('a', { waitFor: { sleepUntil: 'context.' } })],
    ],
    ['spec.steps[0].waitFor.timeout', 'soon', [step('a', { waitFor: { filters: PAID, timeout: 'soon' } })]],
    ['spec.correlate', 'is no valid CEL', [step('a')], { correlate: 'data.id +', onStart: 'StartOrWake' }],
    [
      'spec.steps[0].map.data.template.id',
      'no valid JSONPath',
      [step('a', { map: { data: { template: { id: '$.[' } } } })],
    ],
  ])('names %s: %s', (field, message, steps, more) => {
    const { entry, ready, findings } = plan(steps, more);
    expect(entry).toBeUndefined();
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    const told = findings.filter((finding) => finding.field === field).map((finding) => finding.message);
    expect(told.join('\n')).toContain(message);
  });

  it('is an address that egress refuses, by its step', () => {
    const { ready, findings } = plan([
      step('a'),
      step('b', { target: { sink: { uri: 'http://127.0.0.1/' } } }),
    ]);
    expect(ready).toMatchObject({ status: 'False', reason: 'EgressRefused' });
    expect(findings.map(({ field }) => field)).toEqual(['spec.steps[1].target.sink.uri']);
  });
});
