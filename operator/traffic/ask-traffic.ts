import { type Dispatcher, request } from 'undici';
import type { TrafficItem } from '../../receiver/observe/traffic.ts';
import { RefusedAnswer } from '../confirm/ask.ts';

/** Asks a receiver's admin port what passed at each resource. Throws where it does not answer as it should. */
export type AskTraffic = (question: {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
}) => Promise<readonly TrafficItem[]>;

const TIMEOUT_MS = 5000;

/** Asks by HTTP. */
export function createAskTraffic(dispatcher: Dispatcher): AskTraffic {
  return async ({ url, token, signal }) => {
    const answer = await request(`${url}/api/traffic`, {
      dispatcher,
      headers: { authorization: `Bearer ${token}` },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal,
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new RefusedAnswer(answer.statusCode);
    }
    return ((await answer.body.json()) as { items: readonly TrafficItem[] }).items;
  };
}
