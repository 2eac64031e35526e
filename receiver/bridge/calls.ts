import { RequestError } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import { skipSpace } from '../event/json-scanner.ts';
import { LARGEST_BATCH } from '../event/structured.ts';
import type { RunningBridge } from '../routing/runtime.ts';
import { BrokenMessage, itemsOf, readMembers } from './members.ts';
import { readMessage } from './read-message.ts';

/**
 * The events of a backend's call (OJS events, webhook delivery): one event, an array of them, or `{"events":[…]}`. What a
 * bridge does not want is left out. Throws RequestError 400 `invalid_event`: of a call with a broken event, none is taken; 413
 * `batch_too_large`.
 */
export function readCalls(
  { wanted, outgoing }: Pick<RunningBridge, 'wanted' | 'outgoing'>,
  body: Buffer,
): readonly CloudEvent[] {
  try {
    return messagesIn(body)
      .flatMap((message) => readMessage(message))
      .filter(wanted)
      .map((reading) => outgoing(reading));
  } catch (error) {
    if (!(error instanceof BrokenMessage)) throw error;
    throw new RequestError(400, 'invalid_event', `The call brings no event: ${error.message}.`);
  }
}

const OPENING_BRACKET = 0x5b;

function messagesIn(body: Buffer): readonly Buffer[] {
  if (body[skipSpace(body, 0)] === OPENING_BRACKET) return fewEnough(itemsOf(body));
  const many = readMembers(body).raw('events');
  return many?.[0] === OPENING_BRACKET ? fewEnough(itemsOf(many)) : [body];
}

/** All events of a call are read, and written in one transaction, before anything else gets its turn. */
function fewEnough(messages: readonly Buffer[]): readonly Buffer[] {
  if (messages.length <= LARGEST_BATCH) return messages;
  const message = `A call brings at most ${LARGEST_BATCH} events; send the rest in another.`;
  throw new RequestError(413, 'batch_too_large', message);
}
