import { createServer, type Server, type Socket } from 'node:net';

/** A target that costs as little as it can: reads whole requests, tells each event's id, answers an empty 202. */
export interface BenchSink {
  readonly port: number;
  /** Requests taken so far. */
  readonly taken: number;
  close(): void;
}

const ANSWER = Buffer.from('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n');

/** Opens a sink on loopback; `took` gets the number in each event's `ce-id`. */
export async function openSink(took: (id: number) => void): Promise<BenchSink> {
  let taken = 0;
  const server = createServer({ noDelay: true }, (socket) =>
    readRequests(socket, (id) => {
      taken += 1;
      took(id);
    }),
  );
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(portOf(server)));
  });
  return {
    port,
    get taken() {
      return taken;
    },
    close: () => void server.close(),
  };
}

function readRequests(socket: Socket, took: (id: number) => void): void {
  let text = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (;;) {
      const head = text.indexOf('\r\n\r\n');
      if (head < 0) return;
      const end = head + 4 + Number(valueOf(text, 'content-length: ', head) ?? 0);
      if (text.length < end) return;
      took(Number(valueOf(text, 'ce-id: ', head)));
      socket.write(ANSWER);
      text = text.slice(end);
    }
  });
}

function valueOf(text: string, name: string, head: number): string | undefined {
  const at = text.indexOf(name);
  if (at < 0 || at > head) return undefined;
  return text.slice(at + name.length, text.indexOf('\r\n', at));
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
