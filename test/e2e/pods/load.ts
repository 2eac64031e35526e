/**
 * Senders within the cluster, as a pod: each sends events to TARGET one after the other, an event again and again until it
 * is acknowledged. POST /start and /stop; GET /look tells the ids that were, and how often it was refused; GET /pause
 * the longest time between two acknowledgements since it was last asked.
 */
import { createServer } from 'node:http';

const target = process.env['TARGET'] ?? '';
const authorization = process.env['AUTHORIZATION'] ?? '';
const type = process.env['TYPE'] ?? 'load.sent';
const senders = Number(process.env['SENDERS'] ?? 4);
const perSecond = Number(process.env['PER_SECOND'] ?? 50);
const acknowledged: string[] = [];
const refusals: Record<string, number> = {};
let sending = false;
let working: Promise<void>[] = [];
let serial = 0;
let last = Date.now();
let longest = 0;

function refused(why: string): void {
  refusals[why] = (refusals[why] ?? 0) + 1;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function sendUntilTaken(id: string): Promise<void> {
  while (sending) {
    try {
      const answer = await fetch(target, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'ce-specversion': '1.0',
          'ce-type': type,
          'ce-source': '/load',
          'ce-id': id,
          ...(authorization === '' ? {} : { authorization }),
        },
        body: JSON.stringify({ id }),
        signal: AbortSignal.timeout(5000),
      });
      await answer.arrayBuffer();
      if (answer.status === 202) {
        acknowledged.push(id);
        longest = Math.max(longest, Date.now() - last);
        last = Date.now();
        return;
      }
      refused(String(answer.status));
    } catch (error) {
      refused(((error as Error).cause as { code?: string } | undefined)?.code ?? (error as Error).name);
    }
    await pause(50);
  }
}

async function sender(): Promise<void> {
  while (sending) {
    const started = Date.now();
    serial += 1;
    await sendUntilTaken(`load-${serial}`);
    await pause(Math.max(0, (1000 * senders) / perSecond - (Date.now() - started)));
  }
}

createServer((request, response) => {
  if (request.url === '/start' && !sending) {
    sending = true;
    working = Array.from({ length: senders }, sender);
  }
  if (request.url === '/stop') sending = false;
  if (request.url === '/pause') {
    response.end(String(longest));
    longest = 0;
    return;
  }
  const answer = () => response.end(JSON.stringify({ acknowledged, refusals }));
  void (request.url === '/stop' ? Promise.all(working).then(answer) : answer());
}).listen(8585);
process.on('SIGTERM', () => process.exit(0));
