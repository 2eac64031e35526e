import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createAdmission } from '../admission.ts';
import { jsonAnswer } from '../answer.ts';
import { readBody } from '../body.ts';
import { serveHot } from '../ingest.ts';
import type { HotPath, Intake } from '../intake.ts';
import { LISTENER_LIMITS, type Listener, type ListenerLimits, openListener } from '../listener.ts';
import { SLOWEST, watchSlowSenders } from '../slow-senders.ts';

/** A request as whoever takes it saw it. */
export interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: readonly (readonly [string, unknown])[];
  /** Base64. */
  readonly body: string;
}

/** A listener whose hot path is `/hot`, for tests. */
export interface FrontStage {
  readonly listener: Listener;
  readonly port: number;
  /** What `/hot` was asked, in order. */
  readonly hot: Seen[];
  /** What any other path was asked, by way of `node:http`. */
  readonly rest: Seen[];
  /** Answers of `/hot` that wait, while `held` is set; call them in any order. */
  readonly waiting: (() => void)[];
  /** `/hot` does not answer by itself. */
  held: boolean;
  readonly free: () => { readonly places: number; readonly bytes: number };
}

const BODY_LIMIT = 1000;
const BYTES = 1 << 20;

/** Opens a listener with a front, or with `node:http` alone. */
export async function openFrontStage(
  front: boolean,
  limits: Partial<ListenerLimits> = {},
): Promise<FrontStage> {
  const places = { taken: 0, bytes: 0 };
  const granted = createAdmission({ places: 100, bytes: BYTES });
  const admission = {
    enter() {
      const entered = granted.enter();
      if (entered) places.taken += 1;
      return entered;
    },
    leave() {
      places.taken -= 1;
      granted.leave();
    },
    hold(bytes: number) {
      const held = granted.hold(bytes);
      if (held) places.bytes += bytes;
      return held;
    },
    release(bytes: number) {
      places.bytes -= bytes;
      granted.release(bytes);
    },
  };
  const observer = {
    accepted: () => undefined,
    rejected: () => undefined,
    repeated: () => undefined,
    queued: () => undefined,
    proved: () => undefined,
    committed: () => undefined,
  };
  const door = { admission, slow: watchSlowSenders(SLOWEST), observer, now: Date.now };
  const stage = { hot: [] as Seen[], rest: [] as Seen[], waiting: [] as (() => void)[], held: false };
  const intake: Intake = {
    entrance: 'hot',
    limit: BODY_LIMIT,
    handle({ method, url, headers, body }, done) {
      stage.hot.push({ method, url, headers: Object.entries(headers), body: body.toString('base64') });
      if (stage.held) stage.waiting.push(() => done(undefined, []));
      else done(undefined, []);
    },
    answer: (_outcomes, { url, body }) =>
      jsonAnswer(202, JSON.stringify({ url, ä: body.toString('latin1') })),
  };
  const path: HotPath = ({ method, url }) =>
    method === 'POST' && url.split('?')[0] === '/hot' ? intake : undefined;
  const listener = await openListener(
    'public',
    { host: '127.0.0.1', port: 0 },
    serveHot(path, door),
    (request, response) => {
      readBody(request, { limit: BODY_LIMIT }, (error, body) => {
        const { method, url, headers } = request;
        stage.rest.push({ method, url, headers: Object.entries(headers), body: body.toString('base64') });
        response.writeHead(error?.status ?? 404, { connection: 'keep-alive' });
        response.end('rest');
      });
    },
    { limits: { ...LISTENER_LIMITS, ...limits }, ...(front ? { front: { path, door } } : {}) },
  );
  return Object.assign(stage, {
    listener,
    port: listener.address.port,
    free: () => ({ places: places.taken, bytes: places.bytes }),
  });
}

/** A connection of a test's own. */
export interface Dialled {
  readonly socket: Socket;
  /** All that came so far, one character per byte. */
  readonly text: () => string;
  /** Resolves with all that came, once the other side has ended. */
  readonly ended: Promise<string>;
  /** Resolves once what came holds that many answers. */
  answers(count: number): Promise<string>;
}

/** Connects; errors count as an end. */
export async function dial(port: number): Promise<Dialled> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let heard = (): void => undefined;
  socket.setEncoding('latin1').on('data', (more: string) => {
    text += more;
    heard();
  });
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    socket.once('close', () => resolve(text));
  });
  await once(socket, 'connect');
  return {
    socket,
    text: () => text,
    ended,
    async answers(count) {
      while (text.split('HTTP/1.1 ').length <= count) {
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
      return text;
    },
  };
}

/** A plain request to `/hot`. */
export function plain(body: string, more = '', target = '/hot'): string {
  return `POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
}
