import { BrokenMessage, itemsOf, readRawMembers } from '../members.ts';
import { type Ended, endedBy, OPEN_MS, type Transport, type TransportParts } from '../transport.ts';

const PATH = '/ojs/v1/events';
const LIMIT = 500;
const PAGE_BYTES = 64 << 20;
/** Pages are read ahead of what is durable until they have so many bytes. */
const AHEAD_BYTES = 4 << 20;
/** A page that comes byte by byte is never silent, so it has a time for all of it too. */
const PAGE_MS = 120_000;
const SILENT_MS = 30_000;
/** The backend no longer knows the cursor. */
const FORGOTTEN = new Set([400, 410, 422]);

interface Page {
  readonly events: readonly Buffer[];
  readonly cursor: string | undefined;
  readonly more: boolean;
  readonly bytes: number;
}

/**
 * Asks for what came after the last event (ojs-events, 6.4), again and again. The next page is on its way while the last
 * ones are being written.
 */
export const poll: Transport = (parts, listener) => {
  const { setTimer, source } = parts;
  let { cursor } = parts;
  let limit = LIMIT;
  let over = false;
  let told = false;
  let paused = false;
  let ahead = 0;
  let waiting = false;
  let cancel: (() => void) | undefined;

  function end(ended: Ended): void {
    if (over) return;
    over = true;
    listener.ended(ended);
  }

  function soon(ms: number): void {
    if (over) return;
    if (ms === 0) ask();
    else cancel = setTimer(ask, ms);
  }

  function ask(): void {
    if (over) return;
    waiting = paused || ahead >= AHEAD_BYTES;
    if (!waiting) read();
  }

  function read(): void {
    cancel = readPage(parts, cursor, limit, (page, ended) => {
      if (over) return;
      if (page !== undefined) take(page);
      else if (ended === 'forgotten' && cursor !== undefined) {
        listener.broken('the backend no longer knows the cursor; reading from its first event');
        cursor = undefined;
        soon(0);
      } else if (ended === 'too large' && limit > 1) {
        limit = Math.max(1, limit >> 2);
        soon(0);
      } else if (ended === 'unreadable') {
        listener.broken(`${PATH} answered what is no page of events`);
        if (told) soon(source.pollIntervalMs);
        else end({ cause: `${PATH} answered what is no page of events`, missing: true });
      } else if (typeof ended === 'string')
        end({ cause: `${PATH} has a page that cannot be read: ${ended}`, missing: false });
      else end(ended);
    });
  }

  function take(page: Page): void {
    if (!told) listener.reads({ transport: 'Poll', replay: 'cursor' });
    told = true;
    for (const event of page.events) listener.message(event);
    const moved = page.cursor !== undefined && page.cursor !== cursor;
    cursor = page.cursor ?? cursor;
    ahead += page.bytes;
    listener.page(cursor, () => {
      ahead -= page.bytes;
      if (waiting) ask();
    });
    if (limit < LIMIT) limit = Math.min(LIMIT, limit * 2);
    // A cursor that stays although there is more would be asked for without end.
    soon(page.more && moved ? 0 : source.pollIntervalMs);
  }

  ask();
  return {
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      if (waiting) ask();
    },
    close() {
      over = true;
      cancel?.();
    },
  };
};

type Fault = Ended | 'forgotten' | 'too large' | 'unreadable';

/** A stream, and not a document, for some backends answer this path with one that never ends. Returns what ends it. */
function readPage(
  { client, source, setTimer }: TransportParts,
  cursor: string | undefined,
  limit: number,
  done: (page: Page | undefined, fault: Fault) => void,
): () => void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let over = false;
  const finish = (page: Page | undefined, fault: Fault = 'unreadable'): void => {
    if (over) return;
    over = true;
    cancel();
    queueMicrotask(() => handle.close());
    done(page, fault);
  };
  const cancel = setTimer(
    () =>
      finish(undefined, {
        cause: `${PATH} has a page that took longer than ${PAGE_MS / 1000} s`,
        missing: false,
      }),
    PAGE_MS,
  );
  const handle = client.stream(
    {
      destination: source.backend,
      path: PATH,
      query: queryOf(source, cursor, limit),
      headers: { accept: 'application/openjobspec+json, application/json' },
      openMs: OPEN_MS,
      idleMs: SILENT_MS,
    },
    {
      open(status, headers) {
        const kind = headers['content-type'] ?? '';
        if (FORGOTTEN.has(status) && cursor !== undefined) finish(undefined, 'forgotten');
        else if (status !== 200) finish(undefined, endedBy(status, PATH));
        else if (kind.startsWith('text/event-stream') || kind.startsWith('text/html'))
          finish(undefined, { cause: `${PATH} answered ${kind} and no page of events`, missing: true });
      },
      data(chunk) {
        bytes += chunk.length;
        if (bytes > PAGE_BYTES) finish(undefined, 'too large');
        else chunks.push(chunk);
      },
      end(failure) {
        if (failure !== undefined) finish(undefined, { cause: failure.message, missing: false });
        else finish(parsePage(Buffer.concat(chunks)));
      },
    },
  );
  return () => {
    over = true;
    cancel();
    handle.close();
  };
}

function queryOf(
  { queues, jobTypes }: TransportParts['source'],
  cursor: string | undefined,
  limit: number,
): string {
  const query = new URLSearchParams();
  if (cursor !== undefined) query.set('after', cursor);
  if (queues.length > 0) query.set('queues', queues.join(','));
  if (jobTypes.length > 0) query.set('job_types', jobTypes.join(','));
  query.set('limit', String(limit));
  return query.toString();
}

function parsePage(json: Buffer): Page | undefined {
  try {
    const members = readRawMembers(json);
    const events = members.raw('events');
    if (events === undefined) return undefined;
    return {
      events: itemsOf(events),
      cursor: members.text('cursor'),
      more: members.raw('has_more')?.toString() === 'true',
      bytes: json.length,
    };
  } catch (error) {
    if (error instanceof BrokenMessage) return undefined;
    throw error;
  }
}
