import { BrokenMessage, itemsOf, readMembers } from '../members.ts';
import { type Connection, endedBy, OPEN_MS, type Transport, type TransportParts } from '../transport.ts';
import { openEventStream } from './event-stream.ts';

/** How often a queue that was not there is asked for again, and new queues are looked for. */
const LOOK_MS = 5000;
/** Each has a stream, and each stream a connection. */
const MOST_QUEUES = 1000;
const TOO_MANY = `the backend has more than ${MOST_QUEUES} queues, too many for a stream each; name those to read in \
spec.source.ojs.queues, or set spec.source.ojs.transport to WebSocket or Poll`;
/** Where backends list their queues. */
const LISTS = ['/ojs/v1/queues', '/ojs/v1/admin/queues'];
const LIST_BYTES = 4 << 20;
/** Streams that were cut so often in a row without a message between mean that the backend is not well. */
const MOST_CUTS = 3;

interface QueueStream {
  readonly queue: string;
  connection: Connection | undefined;
  state: 'opening' | 'open' | 'absent';
  cuts: number;
}

/** One stream for each queue; the queues are those of the spec, or all that the backend lists. */
export const sseQueues: Transport = (parts, listener) => {
  const streams = new Map<string, QueueStream>();
  const { queues } = parts.source;
  let over = false;
  let paused = false;
  let cancelLook: (() => void) | undefined;

  function close(): void {
    over = true;
    cancelLook?.();
    for (const { connection } of streams.values()) connection?.close();
  }

  function end(cause: string, missing: boolean): void {
    if (over) return;
    close();
    listener.ended({ cause, missing });
  }

  function open(stream: QueueStream): void {
    stream.state = 'opening';
    const path = `/ojs/v1/queues/${encodeURIComponent(stream.queue.toWellFormed())}/events`;
    stream.connection = openEventStream(parts, path, {
      open() {
        stream.state = 'open';
        told();
      },
      message(json) {
        stream.cuts = 0;
        listener.message(json);
      },
      broken: listener.broken,
      ended({ cause, missing }) {
        const wasOpen = stream.state === 'open';
        stream.connection = undefined;
        if (wasOpen && stream.cuts < MOST_CUTS) {
          // Backends cut a stream after half a minute, as a matter of course: only its own queue has a gap.
          stream.cuts += 1;
          open(stream);
        } else if (missing) {
          stream.state = 'absent';
          told();
        } else end(cause, false);
      },
    });
    if (paused) stream.connection.pause();
  }

  /** Once no stream is being opened: they read, or the backend has none of them. */
  function told(): void {
    const all = [...streams.values()];
    if (over || all.some(({ state }) => state === 'opening')) return;
    const open = all.filter(({ state }) => state === 'open').map(({ queue }) => queue);
    if (all.length > 0 && open.length === 0) end('no queue of the backend has an event stream', true);
    else listener.reads({ transport: `SSE, ${tellQueues(open)}`, replay: 'none' });
  }

  function take(names: readonly string[]): void {
    if (over) return;
    const fresh = names.filter((name) => !streams.has(name));
    if (streams.size + fresh.length > MOST_QUEUES) {
      end(TOO_MANY, true);
      return;
    }
    for (const queue of fresh)
      streams.set(queue, { queue, connection: undefined, state: 'opening', cuts: 0 });
    // Whether a queue would have a stream can only be told of one that is there.
    if (streams.size === 0) {
      end('the backend has no queue yet', true);
      return;
    }
    for (const queue of fresh) open(streams.get(queue) as QueueStream);
    cancelLook = parts.setTimer(look, LOOK_MS);
  }

  function look(): void {
    for (const stream of streams.values()) if (stream.state === 'absent') open(stream);
    if (queues.length === 0) listQueues(parts, 0, take, end);
    else take(queues);
  }

  look();
  return {
    pause() {
      paused = true;
      for (const { connection } of streams.values()) connection?.pause();
    },
    resume() {
      paused = false;
      for (const { connection } of streams.values()) connection?.resume();
    },
    close,
  };
};

function listQueues(
  parts: TransportParts,
  at: number,
  take: (names: readonly string[]) => void,
  end: (cause: string, missing: boolean) => void,
): void {
  const path = LISTS[at];
  if (path === undefined) {
    end('the backend lists no queues; name them in spec.source.ojs.queues', true);
    return;
  }
  const request = {
    destination: parts.source.backend,
    path,
    headers: {},
    timeoutMs: OPEN_MS,
    maxAnswerBytes: LIST_BYTES,
  };
  parts.client.read(request, (answer, failure) => {
    if (answer === undefined) {
      end(failure?.message ?? 'no answer', false);
      return;
    }
    const names = answer.status === 200 ? namesIn(answer.body) : undefined;
    if (names !== undefined) take(names);
    else {
      const { cause, missing } = endedBy(answer.status, path);
      if (missing || answer.status === 200) listQueues(parts, at + 1, take, end);
      else end(cause, false);
    }
  });
}

/** The names of a list of queues: objects with a name, or names. */
function namesIn(json: Buffer): readonly string[] | undefined {
  try {
    const list =
      json[0] === 0x5b ? json : (readMembers(json).raw('queues') ?? readMembers(json).raw('items'));
    return list && itemsOf(list).flatMap((item) => nameOf(item) ?? []);
  } catch (error) {
    if (error instanceof BrokenMessage) return undefined;
    throw error;
  }
}

function nameOf(item: Buffer): string | undefined {
  if (item[0] === 0x7b) return readMembers(item).text('name');
  const name: unknown = JSON.parse(item.toString());
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function tellQueues(names: readonly string[]): string {
  const some = names.length > 5 ? [...names.slice(0, 5), '…'] : names;
  return `${names.length === 1 ? 'queue' : 'queues'} ${some.join(', ')}`;
}
