import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { BrokenMessage, readMembers } from '../members.ts';
import { type Ended, endedBy, MESSAGE_BYTES, OPEN_MS, type Transport } from '../transport.ts';
import { createFrameReader, encodeFrame, OPCODE } from '../websocket-frames.ts';

const PATH = '/ojs/v1/ws';
const PROTOCOL = 'ojs.v1';
/** RFC 6455, 1.3: what the other end hashes with the key. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** A backend pings every 30 s. */
const IDLE_MS = 80_000;
const UPGRADED = 101;
/** The channel of event envelopes, which only the specification knows, and the one of state changes. */
const CHANNELS = ['events', 'all'];
/** A backend that tells events at once has answered, too. */
const ANSWERS = new Set(['subscribed', 'event', 'error']);

/** One connection that subscribes to all events: to envelopes where the backend has them, else to state changes. */
export const webSocket: Transport = ({ client, source, randomBytes, setTimer }, listener) => {
  const key = randomBytes(16).toString('base64');
  let over = false;
  let channel = 0;
  let paused = false;
  /** It has subscribed, and was not answered yet. */
  let isAsked = false;
  let cancelWait: (() => void) | undefined;

  function end(ended: Ended): void {
    if (over) return;
    over = true;
    cancelWait?.();
    handle.close();
    listener.ended(ended);
  }

  function send(opcode: number, payload: Buffer): void {
    handle.write(encodeFrame(opcode, payload, randomBytes(4)));
  }

  function subscribe(): void {
    send(OPCODE.text, Buffer.from(JSON.stringify({ action: 'subscribe', channel: CHANNELS[channel] })));
    isAsked = true;
    wait();
  }

  /** Pings keep a connection alive that never tells anything; while it is paused an answer cannot be heard. */
  function wait(): void {
    cancelWait?.();
    if (over || paused || !isAsked) return;
    cancelWait = setTimer(
      () => end({ cause: `${PATH} does not answer a subscription`, missing: true }),
      OPEN_MS,
    );
  }

  function answered(): void {
    isAsked = false;
    cancelWait?.();
  }

  function take(payload: Buffer): void {
    const message = readMembers(payload);
    const type = message.text('type');
    if (ANSWERS.has(type ?? '') || message.raw('specversion') !== undefined) answered();
    if (type === 'event') {
      const data = message.raw('data');
      if (data === undefined) listener.broken('an event message without data');
      else listener.message(data);
    } else if (type === 'subscribed') {
      listener.reads({ transport: `WebSocket, channel ${CHANNELS[channel]}`, replay: 'none' });
    } else if (type === 'error')
      refused(message.text('message') ?? message.text('code') ?? 'no reason given');
    else if (message.raw('specversion') !== undefined) listener.message(payload);
  }

  function refused(why: string): void {
    channel += 1;
    if (channel < CHANNELS.length) subscribe();
    else end({ cause: `${PATH} takes no subscription: ${why}`, missing: true });
  }

  const feed = createFrameReader(
    {
      message(payload) {
        try {
          take(payload);
        } catch (error) {
          if (!(error instanceof BrokenMessage)) throw error;
          listener.broken(error.message);
        }
      },
      ping: (payload) => send(OPCODE.pong, payload),
      close: (code) => end({ cause: `${PATH} was closed by the backend (${code})`, missing: false }),
      broken: listener.broken,
      lost: (cause) => end({ cause: `${PATH} sent ${cause}`, missing: false }),
    },
    MESSAGE_BYTES,
  );

  const handle = client.stream(
    {
      destination: source.backend,
      path: PATH,
      headers: {
        'sec-websocket-key': key,
        'sec-websocket-version': '13',
        'sec-websocket-protocol': PROTOCOL,
      },
      upgrade: 'websocket',
      openMs: OPEN_MS,
      idleMs: IDLE_MS,
    },
    {
      open(status, headers) {
        const fault = status === UPGRADED ? handshakeFault(headers, key) : undefined;
        // Deferred, for it may come before the handle is known.
        queueMicrotask(() => {
          if (over) return;
          if (status !== UPGRADED)
            end(status < 400 ? { cause: `${PATH} is no WebSocket`, missing: true } : endedBy(status, PATH));
          else if (fault !== undefined) end({ cause: fault, missing: true });
          else subscribe();
        });
      },
      data: (chunk) => {
        if (!over) feed(chunk);
      },
      end(failure) {
        queueMicrotask(() =>
          end({ cause: failure?.message ?? `${PATH} was ended by the backend`, missing: false }),
        );
      },
    },
  );
  return {
    pause() {
      paused = true;
      wait();
      handle.pause();
    },
    resume() {
      paused = false;
      wait();
      handle.resume();
    },
    close() {
      over = true;
      cancelWait?.();
      handle.close();
    },
  };
};

function handshakeFault(headers: IncomingHttpHeaders, key: string): string | undefined {
  const expected = hash('sha1', key + GUID, 'base64');
  if (headers['sec-websocket-accept'] !== expected) return `${PATH} did not answer the WebSocket handshake`;
  const protocol = headers['sec-websocket-protocol'];
  return protocol === undefined || protocol === PROTOCOL ? undefined : `${PATH} speaks ${protocol} only`;
}
