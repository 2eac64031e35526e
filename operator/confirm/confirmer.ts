import { type Backoff, backoffDelay, pause } from '../../receiver/kube/backoff.ts';
import { type Ask, RefusedAnswer } from './ask.ts';
import type { ReceiverEndpoint } from './endpoints.ts';

/** How long a receiver is let wait for the revision before it is asked anew. */
const WAIT_MS = 20_000;
const RETRY: Backoff = { firstMs: 100, mostMs: 5000 };

/** How far the ready receivers are. */
export type Confirmation =
  | { readonly state: 'Live' }
  | { readonly state: 'NoReceiver' }
  | {
      readonly state: 'Publishing';
      /** One sentence: who lags, and why where that is known. */
      readonly message: string;
    };

/** Knows which revision each ready receiver runs. */
export interface Confirmer {
  /** The ready receivers, as the EndpointSlices tell them now. */
  receivers(endpoints: readonly ReceiverEndpoint[]): void;
  /** The table in the cluster has this revision: receivers are asked until they run it. */
  expect(revision: number): void;
  /** Whether every ready receiver runs this revision. */
  state(revision: number): Confirmation;
  /** The revision up to which that is so; -Infinity where no receiver is ready. */
  readonly common: number;
  stop(): Promise<void>;
}

export interface ConfirmerOptions {
  readonly ask: Ask;
  /** The admin token; read again after a receiver has refused it. */
  readonly token: (fresh: boolean) => Promise<string>;
  /** Called after something changed that may change a state. */
  readonly changed: () => void;
  /** Milliseconds after which a receiver that runs what is expected is asked again: it may have fallen back. */
  readonly againMs: number;
  readonly random: () => number;
}

interface Receiver {
  readonly endpoint: ReceiverEndpoint;
  revision: number | undefined;
  trouble: string | undefined;
  readonly gone: AbortController;
  readonly done: Promise<void>;
  /** Wakes the loop when a newer revision is expected. */
  wake: () => void;
}

export function createConfirmer({ ask, token, changed, againMs, random }: ConfirmerOptions): Confirmer {
  const receivers = new Map<string, Receiver>();
  let expected = 0;

  function add(endpoint: ReceiverEndpoint): void {
    const gone = new AbortController();
    const receiver: Receiver = {
      endpoint,
      revision: undefined,
      trouble: undefined,
      gone,
      wake: () => undefined,
      // Started on a later turn, when `receiver` is there.
      done: Promise.resolve().then(() => follow(receiver)),
    };
    receivers.set(endpoint.url, receiver);
  }

  async function follow(receiver: Receiver): Promise<void> {
    const { signal } = receiver.gone;
    let failures = 0;
    let fresh = false;
    while (!signal.aborted) {
      if (isThere(receiver)) {
        await asleep(receiver);
        if (signal.aborted) return;
      }
      try {
        // Who is there, or has told nothing yet, answers at once.
        const atLeast = receiver.revision === undefined || isThere(receiver) ? 0 : expected;
        const question = { url: receiver.endpoint.url, atLeast, waitMs: WAIT_MS, signal };
        const revision = await ask({ ...question, token: await token(fresh) });
        failures = 0;
        fresh = false;
        tell(receiver, revision, undefined);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        fresh = error instanceof RefusedAnswer && error.status === 401;
        tell(receiver, receiver.revision, (error as Error).message);
        await pause(backoffDelay(RETRY, failures, random), signal);
      }
    }
  }

  function isThere({ revision }: Receiver): boolean {
    return revision !== undefined && revision >= expected;
  }

  function tell(receiver: Receiver, revision: number | undefined, trouble: string | undefined): void {
    if (receiver.revision === revision && receiver.trouble === trouble) return;
    receiver.revision = revision;
    receiver.trouble = trouble;
    changed();
  }

  /** Until a newer revision is expected, it is time to ask again, or the receiver is gone. */
  function asleep(receiver: Receiver): Promise<void> {
    const { signal } = receiver.gone;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, againMs);
      receiver.wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  function state(revision: number): Confirmation {
    if (receivers.size === 0) return { state: 'NoReceiver' };
    for (const { endpoint, revision: runs, trouble } of receivers.values()) {
      if (runs !== undefined && runs >= revision) continue;
      const why = trouble ?? `it runs revision ${runs ?? 'unknown'} of ${revision}`;
      return { state: 'Publishing', message: `receiver ${endpoint.name} does not run it yet: ${why}` };
    }
    return { state: 'Live' };
  }

  return {
    receivers(endpoints) {
      const urls = new Map(endpoints.map((endpoint) => [endpoint.url, endpoint]));
      for (const [url, receiver] of receivers) {
        if (urls.has(url)) continue;
        receiver.gone.abort();
        receivers.delete(url);
      }
      for (const [url, endpoint] of urls) if (!receivers.has(url)) add(endpoint);
      changed();
    },
    expect(revision) {
      if (revision <= expected) return;
      expected = revision;
      for (const { wake } of receivers.values()) wake();
    },
    state,
    get common() {
      if (receivers.size === 0) return -Infinity;
      return Math.min(...[...receivers.values()].map(({ revision = -Infinity }) => revision));
    },
    async stop() {
      const all = [...receivers.values()];
      for (const { gone } of all) gone.abort();
      await Promise.all(all.map(({ done }) => done));
    },
  };
}
