import type { Answer } from '../outbound.ts';
import { isRedirect, type Reading, readStatus, type Target } from './reading.ts';

/** How much of an error's message goes into the record. */
const MAX_MESSAGE = 200;
/** Control characters: they have no place in a log line. */
const CONTROLS = /\p{Cc}/gu;

/** An OJS backend: its error's `retryable` wins over the status, a duplicate is done, a paused queue is waited for. */
export const job: Target = {
  read(answer) {
    const body = objectIn(answer.body);
    return answer.status < 300 ? enqueued(answer, body) : failed(answer, objectOf(body?.['error']));
  },
};

function enqueued(answer: Answer, body: Fields | undefined): Reading {
  const made = objectOf(body?.['job']);
  const id = made?.['id'];
  if (typeof id !== 'string') return readStatus(answer.status);
  const state = made?.['state'];
  return {
    outcome: 'done',
    result: JSON.stringify({ job: id, ...(typeof state === 'string' ? { state } : {}) }),
  };
}

function failed(answer: Answer, error: Fields | undefined): Reading {
  const { status } = answer;
  const code = error?.['code'];
  const told = tell(status, error);
  if (isRedirect(status)) return readStatus(status);
  if (status === 409 && code === 'duplicate')
    return { outcome: 'done', result: JSON.stringify({ duplicate: true }) };
  if (code === 'queue_paused') return { outcome: 'retry', error: told, atCeiling: true };
  const retryable = error?.['retryable'];
  if (typeof retryable === 'boolean') return { outcome: retryable ? 'retry' : 'refused', error: told };
  return readStatus(status, told);
}

function tell(status: number, error: Fields | undefined): string {
  const parts = [error?.['code'], error?.['message']].filter(
    (part) => typeof part === 'string' && part !== '',
  );
  const text = parts.join(': ').replace(CONTROLS, ' ');
  if (text === '') return `answered ${status}`;
  return `answered ${status} ${text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text}`;
}

type Fields = Readonly<Record<string, unknown>>;

function objectIn(body: Buffer): Fields | undefined {
  if (body.length === 0) return undefined;
  try {
    return objectOf(JSON.parse(body.toString()));
  } catch {
    // An error page of a proxy, or an answer cut at the limit: the status decides.
    return undefined;
  }
}

function objectOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}
