import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createFrameReader, encodeFrame, OPCODE } from '../../../receiver/bridge/websocket-frames.ts';
import type { Subscriber } from './subscribers.ts';

/** What a WebSocket needs of its backend. */
export interface WebSocketParts {
  readonly kept: (cut: () => void) => () => void;
  readonly nextId: () => number;
  /** undefined: there is no such channel. */
  readonly subscribe: (channel: string, subscriber: Omit<Subscriber, 'wants'>) => (() => void) | undefined;
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const PING_MS = 30_000;
const MESSAGE_BYTES = 64 * 1024;

/** Speaks `ojs.v1`: subscriptions in, events out. */
export function openWebSocket(request: IncomingMessage, socket: Duplex, parts: WebSocketParts): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = hash('sha1', key + GUID, 'base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\nsec-websocket-protocol: ojs.v1\r\n\r\n`,
  );
  const subscriptions = new Map<string, () => void>();
  const forget = parts.kept(() => void socket.destroy());
  const pings = setInterval(() => socket.write(encodeFrame(OPCODE.ping, Buffer.alloc(0))), PING_MS);

  function tell(message: object): void {
    socket.write(encodeFrame(OPCODE.text, Buffer.from(JSON.stringify(message))));
  }

  function subscribe(channel: string): void {
    const send = (text: string): void => {
      const data = JSON.parse(text) as {
        readonly event?: string;
        readonly type: string;
        readonly timestamp?: string;
      };
      const id = `evt_${String(parts.nextId() % 10_000).padStart(4, '0')}`;
      tell({ type: 'event', channel, event: data.event ?? data.type, data, id, timestamp: data.timestamp });
    };
    const unsubscribe = parts.subscribe(channel, { send, waiting: () => socket.writableLength });
    if (unsubscribe === undefined) {
      tell({
        type: 'error',
        code: 'invalid_request',
        message: "Invalid channel. Use 'job:{id}', 'queue:{name}', or 'all'.",
      });
      return;
    }
    subscriptions.get(channel)?.();
    subscriptions.set(channel, unsubscribe);
    tell({ type: 'subscribed', channel });
  }

  const feed = createFrameReader(
    {
      message(payload) {
        const { action, channel = '' } = JSON.parse(payload.toString()) as {
          action?: string;
          channel?: string;
        };
        if (action === 'subscribe') subscribe(channel);
        else if (action === 'unsubscribe') {
          subscriptions.get(channel)?.();
          subscriptions.delete(channel);
          tell({ type: 'unsubscribed', channel });
        } else tell({ type: 'error', code: 'invalid_request', message: 'Unknown action.' });
      },
      ping: (payload) => void socket.write(encodeFrame(OPCODE.pong, payload)),
      close: () => void socket.end(),
      broken: () => void socket.destroy(),
      lost: () => void socket.destroy(),
    },
    MESSAGE_BYTES,
  );
  socket.on('data', feed);
  socket.on('close', () => {
    clearInterval(pings);
    forget();
    for (const unsubscribe of subscriptions.values()) unsubscribe();
  });
}
