import type { TransportName } from '../routing/table.ts';
import type { Transport } from './transport.ts';
import { firstOf } from './transports/first-of.ts';
import { poll } from './transports/poll.ts';
import { sseQueues } from './transports/sse-queues.ts';
import { sseStream } from './transports/sse-stream.ts';
import { webSocket } from './transports/web-socket.ts';
import { webhook } from './transports/webhook.ts';

/** Every transport, by its name in `spec.source.ojs.transport`; each call makes one for one bridge. */
export const TRANSPORTS: Readonly<Record<TransportName, () => Transport>> = {
  SSE: () => firstOf([sseStream, sseQueues]),
  WebSocket: () => webSocket,
  Poll: () => poll,
  Webhook: () => webhook,
  Auto: () => firstOf([sseStream, webSocket, sseQueues, poll]),
};
