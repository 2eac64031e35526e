import { describe, expect, it } from 'vitest';
import { createClient } from '../../deliver/client.ts';
import { systemTimer } from '../../deliver/outbound.ts';
import { startTarget } from '../../deliver/testing.ts';
import { ojsSource } from '../../routing/testing.ts';
import type { Ended, Reads } from '../transport.ts';
import { sseQueues } from './sse-queues.ts';

/** What becomes of reading a backend of so many queues. */
async function readQueues(count: number): Promise<Ended | Reads> {
  await using target = await startTarget((response, { path }) => {
    if (path === '/in/ojs/v1/queues')
      response.end(JSON.stringify(Array.from({ length: count }, (_, i) => `q${i}`)));
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
  });
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });
  const source = ojsSource(target.url);
  const parts = { source, client, setTimer: systemTimer, randomBytes: Buffer.alloc, cursor: undefined };
  const told = await new Promise<Ended | Reads>((resolve) => {
    const ignored = { message() {}, page() {}, broken() {} };
    const connection = sseQueues(parts, {
      ...ignored,
      reads(how) {
        connection.close();
        resolve(how);
      },
      ended: resolve,
    });
  });
  await client.close();
  return told;
}

describe('a stream for each queue', () => {
  it('reads more queues than requests have connections', async () => {
    expect(await readQueues(300)).toMatchObject({ replay: 'none' });
  });

  it('is not for more than a thousand queues', async () => {
    expect(await readQueues(1001)).toEqual({
      cause:
        'the backend has more than 1000 queues, too many for a stream each; name those to read in ' +
        'spec.source.ojs.queues, or set spec.source.ojs.transport to WebSocket or Poll',
      missing: true,
    });
  });
});
