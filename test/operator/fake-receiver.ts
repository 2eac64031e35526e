import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TrafficItem } from '../../receiver/observe/traffic.ts';

/** The far end of confirmation: an admin port that tells the revision which the test gives it. */
export interface FakeReceiver {
  readonly port: number;
  /** From now on it runs whatever it is asked for (true, at the start), or stays where it is. */
  follow(following: boolean): void;
  readonly revision: number;
  /** What it tells of its keys' use. */
  used(entrance: string, key: string, lastUsed: number): void;
  /** What it tells of a resource's traffic from now on. */
  passed(item: TrafficItem): void;
  /** Resolves when the operator waits for a revision that this receiver does not run. */
  askedInVain(): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one; only requests with the token that `token` answers are served. */
export async function startFakeReceiver(token: () => Promise<string>): Promise<FakeReceiver> {
  let revision = 0;
  let following = true;
  const items: object[] = [];
  const traffic = new Map<string, TrafficItem>();
  const held = new Map<ServerResponse, number>();
  const inVain: ((atLeast: number) => void)[] = [];

  const answer = (response: ServerResponse, atLeast: number): void => {
    if (following) revision = Math.max(revision, atLeast);
    if (revision >= atLeast) {
      held.delete(response);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ revision }));
      return;
    }
    held.set(response, atLeast);
    for (const tell of inVain.splice(0)) tell(atLeast);
  };
  const ask = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.headers.authorization !== `Bearer ${await token()}`) {
      response.statusCode = 401;
      response.end();
      return;
    }
    const url = new URL(request.url ?? '', 'http://receiver');
    if (url.pathname === '/api/keys')
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ items }));
    else if (url.pathname === '/api/traffic')
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ items: [...traffic.values()] }));
    else answer(response, Number(url.searchParams.get('atLeast') ?? 0));
  };
  const server = createServer((request, response) => {
    ask(request, response).catch((error: Error) => response.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,
    follow(now) {
      following = now;
      for (const [response, atLeast] of held) answer(response, atLeast);
    },
    used: (entrance, key, lastUsed) => void items.push({ entrance, key, lastUsed }),
    passed: (item) => void traffic.set(item.resource, item),
    get revision() {
      return revision;
    },
    askedInVain: () => new Promise((resolve) => inVain.push(resolve)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
