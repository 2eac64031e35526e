import type { Log } from '../observe/log.ts';
import { isStatus } from './api-error.ts';
import { type Backoff, backoffDelay, pause } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { corePath } from './collection.ts';

/** Which key of which Secret, and how it is read. */
export interface SecretKeyParts {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly secret: string;
  readonly key: string;
  /** Ends the waiting. */
  readonly stop: AbortSignal;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly random: () => number;
}

interface Secret {
  readonly data?: Readonly<Record<string, string>>;
}

/** Whoever waits has nothing else to do, and it is for the first seconds of a release. */
const RETRY: Backoff = { firstMs: 100, mostMs: 1000 };

/**
 * Resolves with what the Secret has under the key, within a second of when that is there and not empty. An API server that
 * is away, or a Secret that is not there yet, is waited for. Undefined: it was stopped.
 */
export async function whenSecretKey(parts: SecretKeyParts): Promise<string | undefined> {
  const { client, namespace, secret, key, stop, log, random } = parts;
  for (let tries = 1; !stop.aborted; tries += 1) {
    try {
      const { data } = await client.json<Secret>({ path: corePath('secrets', namespace, secret) });
      const value = Buffer.from(data?.[key] ?? '', 'base64')
        .toString()
        .trim();
      if (value !== '') return value;
      if (tries === 1) log.info({ secret, key }, 'the Secret does not have the key yet: waiting for it');
    } catch (error) {
      if (!isStatus(error, 404))
        log.warn({ error: (error as Error).message }, 'the Secret could not be read, trying again');
      else if (tries === 1) log.info({ secret }, 'there is no such Secret yet: waiting for it');
    }
    await pause(backoffDelay(RETRY, tries, random), stop);
  }
  return undefined;
}
