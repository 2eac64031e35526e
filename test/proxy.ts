import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server, which a test can break. */
export interface Proxy {
  /** The given URL, by way of the proxy. */
  readonly url: string;
  /** Nothing of what the server says arrives from now on, or from an answer on that contains this; what it is told still does. */
  mute(from?: string): void;
  /** Ends every connection; new ones are as good as new. */
  cut(): void;
  /** Ends every connection, and new ones as they come, until `cut`. */
  refuse(): void;
  close(): Promise<void>;
}

/** Opens one on a free port; `connected` is told of each connection before anything comes through it. */
export async function openProxy(
  target: string,
  connected: (client: Socket) => void = () => undefined,
): Promise<Proxy> {
  const to = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  /** What an answer contains that does not arrive any more. */
  let mutedFrom: string | undefined;
  let refusing = false;
  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(to.port), to.hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    connected(client);
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (mutedFrom !== undefined && chunk.includes(mutedFrom)) mutedFrom = '';
      if (mutedFrom !== '') client.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = new URL(target);
  own.port = String((server.address() as AddressInfo).port);
  const cut = (refuse = false): void => {
    mutedFrom = undefined;
    refusing = refuse;
    for (const [client] of pairs) client.destroy();
  };
  return {
    url: own.href,
    mute(from = '') {
      mutedFrom = from;
    },
    cut: () => cut(),
    refuse: () => cut(true),
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
