import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../address.ts';
import { CommandError } from '../exit-codes.ts';

const RETRY_AFTER_S = '5';
const BODY = JSON.stringify({
  error: {
    code: 'journal_moving',
    message: 'The journal is being moved, so nothing was accepted; send it again later.',
  },
});

/** A listener that tells every sender to come back. */
export interface ClosedDoor {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens one where a receiver listened before. Throws CommandError where the address is taken. */
export async function openClosedDoor({ host, port }: Address): Promise<ClosedDoor> {
  const server = createServer((request, response) => {
    request.resume();
    response
      .writeHead(503, {
        'content-type': 'application/json',
        'retry-after': RETRY_AFTER_S,
        connection: 'close',
      })
      .end(BODY);
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new CommandError(
      `--answer ${host}:${port} cannot be listened on (${String(error)}); stop the receiver first.`,
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
