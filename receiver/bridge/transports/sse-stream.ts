import type { Transport } from '../transport.ts';
import { openEventStream } from './event-stream.ts';

const PATH = '/ojs/v1/events/stream';

/** One stream of all events (OJS RFC-0005). */
export const sseStream: Transport = (parts, listener) =>
  openEventStream(parts, PATH, {
    open: () => listener.reads({ transport: 'SSE, stream', replay: 'none' }),
    message: listener.message,
    broken: listener.broken,
    ended: listener.ended,
  });
