import type { AskItems } from './ask.ts';
import type { ReceiverEndpoint } from './endpoints.ts';

/** What a receiver tells of one key. */
export interface KeyUseAnswer {
  /** `WebhookSecret/namespace/name` */
  readonly entrance: string;
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly lastUsed: number;
}

/** Asks a receiver when its keys were last used. */
export type AskKeyUse = AskItems<KeyUseAnswer>;

/** Knows when each key was last used at any receiver. */
export interface KeyUses {
  /** The ready receivers, as the EndpointSlices tell them now. */
  receivers(endpoints: readonly ReceiverEndpoint[]): void;
  /** By the key's name, in milliseconds since the epoch. */
  of(entrance: string): ReadonlyMap<string, number>;
  /** The WebhookSecret is gone. */
  forget(entrance: string): void;
  start(): void;
  stop(): void;
}

export interface KeyUsesOptions {
  readonly ask: AskKeyUse;
  readonly token: (fresh: boolean) => Promise<string>;
  /** A WebhookSecret's keys were used since it was last told: at most 5 a second, who waits longest first. */
  readonly changed: (entrance: string) => void;
  /** Milliseconds between two rounds of questions. */
  readonly everyMs: number;
}

const RELEASE_MS = 1000;
/** A quarter of the 20 status writes a second that facts of traffic may take; the others are traffic.ts's. */
const RELEASED = 5;

/** Asks every receiver; one that does not answer is asked again in the next round. */
export function createKeyUses({ ask, token, changed, everyMs }: KeyUsesOptions): KeyUses {
  const stopping = new AbortController();
  const used = new Map<string, Map<string, number>>();
  const waiting = new Set<string>();
  let endpoints: readonly ReceiverEndpoint[] = [];
  let timers: NodeJS.Timeout[] = [];

  function take({ entrance, key, lastUsed }: KeyUseAnswer): void {
    const keys = used.get(entrance) ?? new Map<string, number>();
    if ((keys.get(key) ?? 0) >= lastUsed) return;
    used.set(entrance, keys.set(key, lastUsed));
    waiting.add(entrance);
  }

  async function round(): Promise<void> {
    await Promise.all(
      endpoints.map(async ({ url }) => {
        try {
          const answer = await ask({ url, token: await token(false), signal: stopping.signal });
          for (const one of answer) take(one);
        } catch {
          // Whether it is well is the confirmer's to tell.
        }
      }),
    );
  }

  function release(): void {
    for (const entrance of [...waiting].slice(0, RELEASED)) {
      waiting.delete(entrance);
      changed(entrance);
    }
  }

  return {
    receivers(now) {
      endpoints = now;
    },
    of: (entrance) => used.get(entrance) ?? new Map<string, number>(),
    forget(entrance) {
      used.delete(entrance);
      waiting.delete(entrance);
    },
    start() {
      timers = [
        setInterval(() => void round(), everyMs),
        setInterval(release, Math.min(RELEASE_MS, everyMs)),
      ];
    },
    stop() {
      stopping.abort();
      for (const timer of timers) clearInterval(timer);
    },
  };
}
