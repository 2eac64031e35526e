import type { StreamHandle } from '../../deliver/outbound.ts';
import { createSseParser } from '../sse-parser.ts';
import {
  type Connection,
  type Ended,
  endedBy,
  MESSAGE_BYTES,
  OPEN_MS,
  type TransportParts,
} from '../transport.ts';

/** A backend's heartbeat comes every 15 s; a stream that is silent for longer than three is dead. */
const IDLE_MS = 50_000;

/** What one event stream tells. */
export interface EventStreamListener {
  open(): void;
  message(json: Buffer): void;
  broken(cause: string): void;
  ended(end: Ended): void;
}

/** Names of frames that only show that the stream lives. */
const PINGS = new Set(['ping', 'heartbeat']);

/** Opens one stream of server-sent events. An answer of another kind ends it at once. */
export function openEventStream(
  { client, source }: TransportParts,
  path: string,
  listener: EventStreamListener,
): Connection {
  let handle: StreamHandle | undefined;
  let over = false;
  const feed = createSseParser(
    {
      frame: ({ event, data }) => {
        if (!PINGS.has(event)) listener.message(data);
      },
      broken: listener.broken,
    },
    MESSAGE_BYTES,
  );

  function end(ended: Ended): void {
    if (over) return;
    over = true;
    handle?.close();
    listener.ended(ended);
  }

  handle = client.stream(
    {
      destination: source.backend,
      path,
      headers: { accept: 'text/event-stream', 'cache-control': 'no-cache' },
      openMs: OPEN_MS,
      idleMs: IDLE_MS,
    },
    {
      open(status, headers) {
        const kind = headers['content-type'] ?? '';
        if (status !== 200) end(endedBy(status, path));
        else if (!kind.startsWith('text/event-stream'))
          end({ cause: `${path} answered ${kind || 'no media type'} and no event stream`, missing: true });
        else listener.open();
      },
      data: (chunk) => {
        if (!over) feed(chunk);
      },
      end: (failure) =>
        end({ cause: failure?.message ?? `${path} was ended by the backend`, missing: false }),
    },
  );
  if (over) handle.close();
  return {
    pause: () => handle.pause(),
    resume: () => handle.resume(),
    close() {
      over = true;
      handle.close();
    },
  };
}
