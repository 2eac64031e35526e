import type { TrafficItem } from '../../receiver/observe/traffic.ts';
import type { AskItems } from '../confirm/ask.ts';
import type { ReceiverEndpoint } from '../confirm/endpoints.ts';
import type { Log } from '../log.ts';
import type { Shown } from './shown.ts';
import { createTotals } from './totals.ts';
import type { WriteTraffic } from './write-traffic.ts';

/** Brings what passes at each resource into its status. */
export interface TrafficReporter {
  /** The ready receivers, as the EndpointSlices tell them now. */
  receivers(endpoints: readonly ReceiverEndpoint[]): void;
  start(): void;
  /** What is being written is not waited for: it is written again by the next start. */
  stop(): void;
}

/** Asks a receiver what passed at each resource. */
export type AskTraffic = AskItems<TrafficItem>;

export interface TrafficReporterOptions {
  readonly ask: AskTraffic;
  readonly token: (fresh: boolean) => Promise<string>;
  readonly write: WriteTraffic;
  /** What the watch shows of a resource: undefined where it is gone. */
  readonly shown: (resource: string) => Shown | undefined;
  readonly log: Log;
  /** Milliseconds between two rounds of questions, and between two writes of one status. */
  readonly everyMs: number;
  readonly now: () => number;
}

const RELEASE_MS = 1000;
/** Statuses written in one RELEASE_MS. */
const RELEASED = 15;

/** Asks every receiver; one that does not answer is asked again in the next round. */
export function createTrafficReporter(options: TrafficReporterOptions): TrafficReporter {
  const { ask, token, write, shown, log, everyMs, now } = options;
  const stopping = new AbortController();
  const totals = createTotals();
  /** What each status says, and since when; only of resources whose status was seen or written. */
  const written = new Map<string, { readonly uid: string; readonly at: number; readonly text: string }>();
  let endpoints: readonly ReceiverEndpoint[] = [];
  let timers: NodeJS.Timeout[] = [];
  let writing = false;

  async function round(): Promise<void> {
    totals.retain(new Set(endpoints.map(({ url }) => url)));
    await Promise.all(
      endpoints.map(async ({ url }) => {
        try {
          totals.told(url, await ask({ url, token: await token(false), signal: stopping.signal }));
        } catch {
          // Whether it is well is the confirmer's to tell.
        }
      }),
    );
    forgetGone();
    begin();
  }

  function forgetGone(): void {
    for (const [resource] of totals.resources()) {
      if (shown(resource) !== undefined) continue;
      totals.forget(resource);
      written.delete(resource);
    }
  }

  /** What a status said before this process looked at it counts as written long ago. */
  function begin(): void {
    for (const [resource, uid] of totals.resources()) {
      if (written.get(resource)?.uid === uid) continue;
      const resourceNow = shown(resource);
      if (resourceNow?.uid !== uid) continue;
      const traffic = resourceNow.traffic();
      if (traffic !== undefined) totals.before(resource, uid, traffic);
      written.set(resource, { uid, at: 0, text: '' });
    }
  }

  /** Statuses that say something else than is known, the stalest first. */
  function stale(): readonly (readonly [resource: string, uid: string])[] {
    const latest = now() - everyMs;
    return [...written]
      .filter(([resource, { at, text }]) => at <= latest && text !== JSON.stringify(totals.of(resource)))
      .toSorted(([, a], [, b]) => a.at - b.at)
      .slice(0, RELEASED)
      .map(([resource, { uid }]) => [resource, uid]);
  }

  async function release(): Promise<void> {
    if (writing) return;
    writing = true;
    await Promise.all(
      stale().map(async ([resource, uid]) => {
        const traffic = totals.of(resource);
        if (traffic === undefined || stopping.signal.aborted) return;
        written.set(resource, { uid, at: now(), text: JSON.stringify(traffic) });
        try {
          await write(resource, uid, traffic);
        } catch (error) {
          written.set(resource, { uid, at: now(), text: '' });
          log.warn({ resource, error: String(error) }, 'its traffic could not be written, trying again');
        }
      }),
    );
    writing = false;
  }

  return {
    receivers(ready) {
      endpoints = ready;
    },
    start() {
      timers = [
        setInterval(() => void round(), everyMs),
        setInterval(() => void release(), Math.min(RELEASE_MS, everyMs)),
      ];
    },
    stop() {
      stopping.abort();
      for (const timer of timers) clearInterval(timer);
    },
  };
}
