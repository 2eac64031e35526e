import { createServer } from 'node:http';

/*
 * The limit that everything is measured against: node:http with data and end events, the whole body read, an empty 202.
 * Prints its address as one JSON line.
 */
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (chunks.length > 1) Buffer.concat(chunks);
    response.writeHead(202, { 'content-length': 0 });
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    process.stdout.write(`${JSON.stringify({ port: address.port })}\n`);
});
