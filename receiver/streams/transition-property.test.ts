import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { StepShape } from '../routing/table.ts';
import type { Effect } from './draft.ts';
import { dueOf } from './draft.ts';
import type { Instance } from './instance.ts';
import { arrivedOf, compiledStream, eventOf, stepOf, streamOf } from './testing.ts';
import { type Input, transition } from './transition.ts';
import { createModel, type ModelEvent, type ModelInput, type ModelStep } from './transition-model.ts';

const TYPES = ['a', 'b', 'c', 'd'] as const;
const type = fc.constantFrom(...TYPES);

const wait = fc.oneof(
  fc.record({ sleep: fc.nat(20) }),
  fc.record(
    {
      types: fc.uniqueArray(type, { minLength: 1, maxLength: 3 }),
      all: fc.boolean(),
      timeout: fc.integer({ min: 1, max: 30 }),
      goOn: fc.boolean(),
    },
    { requiredKeys: ['types', 'all', 'goOn'] },
  ),
);
const steps = fc
  .array(fc.record({ wait, unless: type }, { requiredKeys: [] }), { minLength: 1, maxLength: 5 })
  .map((all) => all.map((step, i): ModelStep => ({ name: `s${i}`, ...step })));

/** What comes, and how much later; steps by number, some of which are not there or past. */
const inputs = fc.array(
  fc.record({
    later: fc.oneof(fc.constant(0), fc.nat(3), fc.nat(40)),
    what: fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('event' as const), type }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('timer' as const) }) },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constantFrom('delivered' as const, 'delivered' as const, 'dead' as const),
          at: fc.constantFrom(0, 0, 0, -1, 1),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constantFrom('retry' as const, 'skip' as const, 'cancel' as const) }),
      },
    ),
  }),
  { maxLength: 40 },
);

function shapeOf({ name, wait: waits, unless }: ModelStep): StepShape {
  const condition = unless === undefined ? {} : { condition: `event.type != "${unless}"` };
  if (waits === undefined) return stepOf(name, condition);
  if ('sleep' in waits) return stepOf(name, { ...condition, wait: { sleepMs: waits.sleep } });
  const named = waits.types.map((one) => ({ name: `${name}_${one}`, filters: [{ exact: { type: one } }] }));
  return stepOf(name, {
    ...condition,
    wait: {
      [waits.all ? 'all' : 'any']: named,
      ...(waits.timeout === undefined ? {} : { timeoutMs: waits.timeout }),
      onTimeout: waits.goOn ? 'Continue' : 'Fail',
    },
  });
}

const BOUNDS = { events: 3, retentionMs: 50 };

function cloudEvent({ id, type: one }: ModelEvent) {
  return eventOf({ id: String(id), type: one });
}

function functionInput(input: ModelInput): Input {
  switch (input.kind) {
    case 'event':
      return { kind: 'event', arrived: arrivedOf(cloudEvent(input.event), input.now) };
    case 'delivered':
      return { kind: 'delivered', step: input.step, answer: { status: 200, data: null } };
    case 'dead':
      return { kind: 'dead', step: input.step, delivery: 1, reason: 'gave up' };
    case 'timer':
      return { kind: 'timer' };
    default:
      return { kind: 'hand', action: input.kind };
  }
}

it('does what a process would do that never went away', () => {
  fc.assert(
    fc.property(steps, type, inputs, (modelSteps, startType, what) => {
      const stream = compiledStream(
        streamOf(modelSteps.map(shapeOf), { inbox: { ...BOUNDS, bytes: 1 << 20 } }),
      );
      const start: ModelEvent = { id: 0, type: startType };
      let now = 1000;
      const model = createModel(modelSteps, start, BOUNDS, now);
      const sent: string[] = [];
      const leftover: number[] = [];
      const note = (effects: readonly Effect[]): void => {
        for (const effect of effects) {
          if (effect.kind === 'send') sent.push(`${effect.step.name}:${effect.event.attributes['id']}`);
          if (effect.kind === 'leftover') leftover.push(Number(effect.event.attributes['id']));
        }
      };
      const arrived = arrivedOf(cloudEvent(start), now);
      const begun = transition(
        stream,
        undefined,
        { kind: 'start', id: 'i', trigger: 'shop/s', stream: 'h', arrived, held: [] },
        now,
      );
      let instance: Instance = begun.instance;
      note(begun.effects);
      const compare = (): void => {
        const { status, step, inbox } = instance;
        expect({
          status,
          step,
          sent,
          leftover,
          inbox: inbox.map(({ event }) => Number(event.attributes['id'])),
        }).toEqual({ ...model.view, inbox: model.view.inbox.map(({ event }) => event.id) });
      };
      compare();
      let id = 1;
      for (const one of what) {
        now += one.later;
        const input = inputOf(one.what, now, id++, instance);
        model.take(input);
        const frozen = JSON.stringify(instance);
        const result = transition(stream, instance, functionInput(input), now);
        // Decided again on the same state, as after a conflict, it says the same; the old state is as it was.
        expect(transition(stream, instance, functionInput(input), now)).toEqual(result);
        expect(JSON.stringify(instance)).toBe(frozen);
        // What comes back from the journal is what was decided.
        instance = JSON.parse(JSON.stringify(result.instance)) as Instance;
        note(result.effects);
        compare();
        // What is due is in the future: a timer fires once.
        expect(dueOf(stream, instance) ?? now + 1).toBeGreaterThan(now);
      }
    }),
    { numRuns: 3000 },
  );
});

function inputOf(
  what: {
    readonly kind: ModelInput['kind'];
    readonly type?: string;
    readonly at?: number;
  },
  now: number,
  id: number,
  { step }: Instance,
): ModelInput {
  if (what.kind === 'event') return { kind: 'event', now, event: { id, type: what.type ?? 'a' } };
  if (what.kind === 'delivered' || what.kind === 'dead')
    return { kind: what.kind, now, step: `s${step + (what.at ?? 0)}` };
  return { kind: what.kind, now };
}
