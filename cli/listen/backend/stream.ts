import type { ServerResponse } from 'node:http';
import type { Subscriber } from './subscribers.ts';

/** What a stream needs of its backend. */
export interface StreamParts {
  readonly cutMs: number;
  /** Notes a live connection and how to cut it; answers how to forget it. */
  readonly kept: (cut: () => void) => () => void;
  readonly nextId: () => number;
  readonly subscribe: (subscriber: Omit<Subscriber, 'wants'>) => () => void;
}

const HEARTBEAT_MS = 15_000;

/** Streams server-sent events as backends do: `retry`, a heartbeat, and after a while a cut. `only` ends it at once. */
export function openStream(response: ServerResponse, parts: StreamParts, only?: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write('retry: 3000\n\n');
  const send = (text: string): void => {
    const { event, type } = JSON.parse(text) as { readonly event?: string; readonly type: string };
    const id = String(parts.nextId()).padStart(4, '0');
    response.write(`id: evt_${id}\nevent: ${event ?? type}\ndata: ${text}\n\n`);
  };
  if (only !== undefined) {
    send(only);
    response.end();
    return;
  }
  const unsubscribe = parts.subscribe({ send, waiting: () => response.writableLength });
  const cut = (): void => void response.destroy();
  const forget = parts.kept(cut);
  const heartbeat = setInterval(() => response.write(':heartbeat\n\n'), HEARTBEAT_MS);
  const timeout = parts.cutMs > 0 ? setTimeout(cut, parts.cutMs) : undefined;
  response.on('close', () => {
    clearInterval(heartbeat);
    clearTimeout(timeout);
    forget();
    unsubscribe();
  });
}
