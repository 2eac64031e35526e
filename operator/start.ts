import { setImmediate as turn } from 'node:timers/promises';
import { type Backoff, backoffDelay, pause } from '../receiver/kube/backoff.ts';
import { createLimit } from '../receiver/kube/limit.ts';
import type { Confirmer } from './confirm/confirmer.ts';
import type { World } from './gather/world.ts';
import type { Log } from './log.ts';
import type { Publisher } from './publish/publisher.ts';
import type { Reconciler } from './reconcile.ts';

/** Resources looked at at once for the first table; each may read a Secret. */
const PRIMING = 64;
const RETRY: Backoff = { firstMs: 100, mostMs: 30_000 };
/** How long a start waits for the receivers to tell that they run the table; longer where none has run before. */
const KNOWN_MS = { first: 10_000, again: 2000 };

export interface StartParts {
  readonly world: Pick<World, 'synced'>;
  readonly publisher: Publisher;
  readonly confirmer: Confirmer;
  readonly prime: Reconciler['prime'];
  /** Every resource, by `Kind/namespace/name`; asked once all has been read. */
  readonly everything: () => Iterable<string>;
  readonly stop: AbortSignal;
  readonly log: Log;
  readonly random: () => number;
}

/** What comes before resources are looked at one by one. */
export interface Start {
  /**
   * Resolves when all has been read, there is a table, and the receivers have told that they run it or have had time to; or
   * when it is stopped.
   */
  done(): Promise<void>;
  /** The table or the receivers are further. */
  moved(): void;
}

export function createStart(parts: StartParts): Start {
  const { world, publisher, confirmer, stop, log, random } = parts;
  let moved: (() => void) | undefined;

  async function loadTable(): Promise<void> {
    for (let failures = 1; !stop.aborted; failures += 1) {
      try {
        return await publisher.load();
      } catch (error) {
        log.warn({ error: (error as Error).message }, 'the routing table could not be read, trying again');
        await pause(backoffDelay(RETRY, failures, random), stop);
      }
    }
  }

  /** Where there is no table yet, or a torn one, it is written whole, in one go. */
  async function firstTable(): Promise<void> {
    const limit = createLimit(PRIMING);
    const all = [...parts.everything()];
    // Most wait for nothing: each has a turn of its own, so that the process answers between them.
    await Promise.all(all.map((key) => limit(() => turn(key).then(parts.prime))));
    publisher.release();
  }

  /** What no receiver is known to run yet would only be looked at twice. */
  async function receiversKnown(mostMs: number): Promise<void> {
    const known = new AbortController();
    moved = () => {
      const { revision } = publisher;
      if (revision > 0 && confirmer.state(revision).state !== 'Publishing') known.abort();
    };
    moved();
    await pause(mostMs, AbortSignal.any([known.signal, stop]));
    moved = undefined;
  }

  return {
    async done() {
      await Promise.race([Promise.all([world.synced, loadTable()]), aborted(stop)]);
      if (stop.aborted) return;
      const first = publisher.held;
      if (first) await firstTable();
      confirmer.expect(publisher.revision);
      await receiversKnown(first ? KNOWN_MS.first : KNOWN_MS.again);
    },
    moved: () => moved?.(),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
