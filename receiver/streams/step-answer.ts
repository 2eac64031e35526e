import type { Answer } from '../deliver/outbound.ts';
import { isTooDeep } from '../event/json-scanner.ts';
import type { Destination } from '../routing/table.ts';
import type { StepAnswer } from './instance.ts';

/** What later steps see of an answer: parsed JSON or null, of a job target the job object. */
export function stepAnswer(kind: Destination['kind'], answer: Answer | undefined): StepAnswer {
  if (answer === undefined) return { status: 0, data: null };
  const { status, body } = answer;
  const data = jsonIn(body);
  return { status, data: kind === 'job' ? jobIn(data) : data };
}

function jobIn(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return null;
  return (data as { readonly job?: unknown }).job ?? null;
}

function jsonIn(body: Buffer): unknown {
  if (body.length === 0 || isTooDeep(body)) return null;
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    // No JSON, or cut where reading stopped.
    return null;
  }
}
