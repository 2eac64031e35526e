/**
 * The far end of deliveries, as a pod: takes jobs (POST /ojs/v1/jobs) and CloudEvents (any other POST), and tells what
 * came (POST /refuse refuses): GET /arrivals?at=N answers the N-th arrival as soon as it is there, GET /count how many there are.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

interface Arrival {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const arrivals: Arrival[] = [];
let waiting: (() => void)[] = [];
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function show(url: URL, response: ServerResponse): Promise<void> {
  if (url.pathname === '/count') return json(response, 200, arrivals.length);
  if (url.pathname === '/all') return json(response, 200, arrivals);
  const at = Number(url.searchParams.get('at'));
  const until = Date.now() + 20_000;
  while (arrivals[at] === undefined && Date.now() < until)
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 1000);
      waiting.push(() => (clearTimeout(timer), resolve()));
    });
  json(response, arrivals[at] === undefined ? 404 : 200, arrivals[at] ?? null);
}

async function take(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const body = await bodyOf(request);
  if (url.pathname === '/refuse') return json(response, 400, { error: 'no' });
  arrivals.push({ path: url.pathname, headers: request.headers, body });
  for (const wake of waiting) wake();
  waiting = [];
  if (url.pathname === '/ojs/v1/jobs') json(response, 201, { job: { id: `job-${arrivals.length}` } });
  else response.writeHead(202).end();
}

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://far-end');
  void (request.method === 'POST' ? take(request, response, url) : show(url, response));
}).listen(8585);
process.on('SIGTERM', () => process.exit(0));
