import type { Renderer } from '../deliver/renderer.ts';
import type { CloudEvent } from '../event/event.ts';
import type { RunningTrigger } from '../routing/runtime.ts';
import type { StepEntry } from '../routing/table.ts';
import { keep } from './kept.ts';
import { stepRenderer } from './step-renderer.ts';
import { tellWait } from './tell-wait.ts';
import { transition } from './transition.ts';

/** What the start of an instance would come to. */
export type StreamPreview =
  | { readonly step: StepEntry; readonly renderer: Renderer }
  /** What happens instead of sending. */
  | { readonly waits: string };

/** The id of an instance that nobody starts. */
const NOBODY = '0'.repeat(32);

/** What a value stream would do with an event that it takes; undefined where the trigger is none. */
export function previewStream(
  { key, entry, stream, matcher }: RunningTrigger,
  event: CloudEvent,
  now: number,
): StreamPreview | undefined {
  if (stream === undefined || entry.stream === undefined) return undefined;
  if (event.attributes['instanceid'] !== undefined) return { waits: 'it wakes the instance that it names' };
  if (!matcher.matches(event)) return { waits: 'it wakes the instance of its key, or is held for one' };
  const arrived = { at: now, by: 'rule', event: keep(event, '') } as const;
  const { hash } = stream;
  const start = { kind: 'start', id: NOBODY, trigger: key, stream: hash, arrived, held: [] } as const;
  const { instance, effects } = transition(stream.stream, undefined, start, now);
  const sent = effects.find((effect) => effect.kind === 'send');
  const step = entry.stream.steps.find(({ name }) => name === sent?.step.name);
  if (sent !== undefined && step !== undefined)
    return { step, renderer: stepRenderer(sent.step.shape.renderer, instance, step.input) };
  const awaited = tellWait(entry.stream, instance);
  const then = awaited === undefined ? `is ${instance.status.toLowerCase()}` : `waits for ${awaited}`;
  return { waits: `it starts an instance, which ${then}` };
}
