import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What came back. */
export interface Answered {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** One raw connection at a time to one listener; a new one where the last has ended. */
export interface Connection {
  /** Sends pieces that ask for an answer; undefined where the connection ended without one. */
  ask(pieces: readonly Buffer[]): Promise<Answered | undefined>;
  /** Sends pieces that need not ask for anything, and ends; the first answer, if there is one. */
  throwAway(pieces: readonly Buffer[]): Promise<Answered | undefined>;
  close(): void;
}

/** Makes a Connection. */
export function createConnection(port: number): Connection {
  let current: { readonly socket: Socket; received: string; ended: boolean; heard: () => void } | undefined;

  async function opened() {
    if (current !== undefined && !current.ended) return current;
    const socket = connect(port, '127.0.0.1');
    const state = { socket, received: '', ended: false, heard: () => undefined as void };
    socket.setEncoding('latin1').on('data', (text: string) => {
      state.received += text;
      state.heard();
    });
    // A refused request may be cut off: that is an end like any other.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      state.ended = true;
      state.heard();
    });
    await once(socket, 'connect');
    current = state;
    return state;
  }

  async function exchange(pieces: readonly Buffer[], last: boolean): Promise<Answered | undefined> {
    const state = await opened();
    state.received = '';
    const isHead = pieces[0]?.subarray(0, 5).toString('latin1') === 'HEAD ';
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await new Promise((resolve) => setImmediate(resolve));
      // Answered by what has come already: the rest would only be cut off.
      if (state.received !== '' || state.ended) break;
      state.socket.write(piece);
    }
    if (last) state.socket.end();
    for (;;) {
      const answered = parse(state.received, isHead);
      if (answered !== undefined && !last) {
        if (/^connection: close/im.test(answered.head)) drop();
        return answered;
      }
      if (state.ended) return answered;
      await new Promise<void>((resolve) => {
        state.heard = resolve;
      });
    }
  }

  function drop(): void {
    current?.socket.destroy();
    current = undefined;
  }

  return {
    ask: (pieces) => exchange(pieces, false),
    async throwAway(pieces) {
      const answered = await exchange(pieces, true);
      drop();
      return answered;
    },
    close: drop,
  };
}

/** The first whole answer that is no interim one. */
function parse(received: string, isHead: boolean): Answered | undefined {
  let text = received;
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = text.slice(0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    text = text.slice(end + 4);
    if (status < 200) continue;
    const length = isHead ? 0 : Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
    return text.length < length ? undefined : { status, head, body: text.slice(0, length) };
  }
}
