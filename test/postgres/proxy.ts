import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network between a client and a PostgreSQL, which a test can break. */
export interface Proxy {
  /** The given URL, by way of the proxy. */
  readonly url: string;
  /** From now on nothing of what the server says arrives; what it is told still does. */
  mute(): void;
  /** Ends every connection; new ones are as good as new. */
  cut(): void;
  close(): Promise<void>;
}

/** Opens one on a free port. */
export async function openProxy(target: string): Promise<Proxy> {
  const to = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  let muted = false;
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      if (!muted) client.write(chunk);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = new URL(target);
  own.port = String((server.address() as AddressInfo).port);
  const cut = (): void => {
    muted = false;
    for (const [client] of pairs) client.destroy();
  };
  return {
    url: own.href,
    mute() {
      muted = true;
    },
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
