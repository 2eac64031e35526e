import { RequestError } from '../errors.ts';
import type { CloudEvent } from '../event/event.ts';
import type { RunningBridge } from '../routing/runtime.ts';
import { BrokenMessage, itemsOf, readMembers } from './members.ts';
import { readMessage } from './read-message.ts';

/**
 * The events of a backend's call (OJS events, webhook delivery): one event, an array of them, or `{"events":[…]}`. What a
 * bridge does not want is left out. Throws RequestError 400 `invalid_event`: of a call with a broken event, none is taken.
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
  if (body[0] === OPENING_BRACKET) return itemsOf(body);
  const many = readMembers(body).raw('events');
  return many?.[0] === OPENING_BRACKET ? itemsOf(many) : [body];
}
