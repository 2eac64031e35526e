import { eventJson } from '../expression/event-json.ts';
import type { Instance } from './instance.ts';
import { type Kept, revive, sizeOf } from './kept.ts';

/** What an instance remembers, in bytes: its events and its steps' answers. */
export const MAX_CONTEXT_BYTES = 1 << 20;

/** `context` as a step's expressions see it: each event in JSON form, and `steps` with what they were answered. */
export function contextOf({ events, answers }: Pick<Instance, 'events' | 'answers'>): unknown {
  const context: Record<string, unknown> = Object.create(null);
  for (const name in events) context[name] = eventJson(revive(events[name] as Kept));
  context['steps'] = answers;
  return context;
}

/** Whether a context of those events and answers keeps within its bound. */
export function fits({ events, answers }: Pick<Instance, 'events' | 'answers'>): boolean {
  let size = 0;
  for (const name in events) size += sizeOf(events[name] as Kept);
  if (size > MAX_CONTEXT_BYTES) return false;
  for (const name in answers) size += Buffer.byteLength(JSON.stringify(answers[name]));
  return size <= MAX_CONTEXT_BYTES;
}
