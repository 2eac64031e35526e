import { createHmac } from 'node:crypto';
import type { Envelope } from './events.ts';

const RETRY_MS = 1000;

/** Calls a URL with each envelope, in order, until it is answered with 2xx (OJS events, webhook delivery). */
export function createWebhooks(
  url: string,
  secret: string,
  now: () => Date,
): { call(envelope: Envelope): void; stop(): void } {
  const waiting: string[] = [];
  let calling = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function post(body: string): Promise<boolean> {
    const timestamp = String(Math.floor(now().getTime() / 1000));
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    const headers = {
      'content-type': 'application/openjobspec+json',
      'x-ojs-timestamp': timestamp,
      'x-ojs-signature': `sha256=${signature}`,
    };
    try {
      return (await fetch(url, { method: 'POST', body, headers })).ok;
    } catch {
      return false;
    }
  }

  async function work(): Promise<void> {
    calling = true;
    for (let next = waiting[0]; next !== undefined && !stopped; next = waiting[0]) {
      if (await post(next)) waiting.shift();
      else
        await new Promise<void>((resolve) => {
          timer = setTimeout(resolve, RETRY_MS);
        });
    }
    calling = false;
  }

  return {
    call(envelope) {
      waiting.push(JSON.stringify(envelope));
      if (!calling) void work();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
