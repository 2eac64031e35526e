import type { Address } from '../address.ts';
import type { Envelope } from './backend/events.ts';
import type { Change } from './backend/jobs.ts';
import { serveBackend } from './backend/serve.ts';
import { createWebhooks } from './backend/webhooks.ts';
import { startWorker } from './backend/worker.ts';
import type { OjsSettings } from './ojs-options.ts';

/** A backend at work. */
export interface RunningBackend {
  readonly url: string;
  close(): Promise<void>;
}

/** What it takes to run one. */
export interface RunBackendParts {
  readonly address: Address;
  readonly settings: OjsSettings;
  readonly now: () => Date;
  readonly id: () => string;
  readonly told: (line: string) => void;
  readonly json: boolean;
}

/** Runs the backend of `signalbox listen --ojs`, its worker and its webhooks. */
export async function runBackend({
  address,
  settings,
  now,
  id,
  told,
  json,
}: RunBackendParts): Promise<RunningBackend> {
  const { features, cutMs, dropEvery, webhook, token, workMs, paused } = settings;
  const calls = webhook && createWebhooks(webhook.url, webhook.secret, now);
  const backend = await serveBackend(address, {
    features,
    cutMs,
    dropEvery,
    now,
    id,
    ...(token === undefined ? {} : { token }),
    told(change, envelopes) {
      told(json ? jsonLine(change, envelopes) : line(change, envelopes));
      for (const envelope of envelopes) calls?.call(envelope);
    },
  });
  for (const queue of paused) backend.jobs.pause(queue, true);
  const stopWorking = workMs > 0 ? startWorker(backend.jobs, settings) : undefined;
  return {
    url: backend.url,
    async close() {
      stopWorking?.();
      calls?.stop();
      await backend.stop();
    },
  };
}

function line({ job, from, to, at }: Change, envelopes: readonly Envelope[]): string {
  const types = envelopes.map(({ type }) => type).join(', ');
  const time = new Date(at).toTimeString().slice(0, 8);
  return `${time}  job ${job.id}  ${job.type}  (queue ${job.queue})  ${from ?? 'new'} → ${to}  ${types}`;
}

function jsonLine({ job, from, to, at }: Change, envelopes: readonly Envelope[]): string {
  return JSON.stringify({ at, job, from, to, events: envelopes });
}
