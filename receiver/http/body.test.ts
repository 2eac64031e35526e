import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestError } from '../errors.ts';
import { readBody } from './body.ts';

type Read = { error: RequestError | undefined; body: Buffer };
const reads: ((read: Read) => void)[] = [];
const server = createServer((request: IncomingMessage, response) => {
  readBody(request, { limit: 1000 }, (error, body) => {
    reads.shift()?.({ error, body });
    response.end();
  });
});
let port: number;
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterAll(() => server.close());

async function send(head: string, chunks: readonly Buffer[]): Promise<Read> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const read = new Promise<Read>((resolve) => reads.push(resolve));
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`);
  for (const chunk of chunks) {
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    socket.write('\r\n');
  }
  if (head.includes('chunked')) socket.write('0\r\n\r\n');
  const result = await read;
  socket.destroy();
  return result;
}

describe('a body', () => {
  it('is read whole, in however many pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 90 }), { maxLength: 10 }),
        async (pieces) => {
          const chunks = pieces.map((piece) => Buffer.from(piece));
          const { error, body } = await send('transfer-encoding: chunked', chunks);
          expect(error).toBeUndefined();
          expect(body).toEqual(Buffer.concat(chunks));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('is refused by its announced length before a byte of it is read', async () => {
    const { error } = await send('content-length: 1001', []);
    expect(error).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(error?.message).toContain('1000 bytes');
  });

  it('is refused when it grows past the limit unannounced', async () => {
    const { error } = await send('transfer-encoding: chunked', [Buffer.alloc(600), Buffer.alloc(600)]);
    expect(error).toMatchObject({ status: 413 });
  });

  it('of exactly the limit is taken', async () => {
    const { error, body } = await send('transfer-encoding: chunked', [Buffer.alloc(1000)]);
    expect(error).toBeUndefined();
    expect(body.length).toBe(1000);
  });
});
