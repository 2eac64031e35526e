import type { BridgeReport } from '../plan/bridge-report.ts';
import type { AskItems } from './ask.ts';
import type { ReceiverEndpoint } from './endpoints.ts';

/** Asks a receiver how its bridges are. */
export type AskBridges = AskItems<BridgeReport>;

/** Knows how each bridge is, as the receivers tell it. */
export interface BridgeReports {
  /** The ready receivers, as the EndpointSlices tell them now. */
  receivers(endpoints: readonly ReceiverEndpoint[]): void;
  /** What is told of `namespace/name`, by the receiver that reads first. */
  of(bridge: string): readonly BridgeReport[];
  start(): void;
  stop(): void;
}

export interface BridgeReportsOptions {
  readonly ask: AskBridges;
  readonly token: (fresh: boolean) => Promise<string>;
  /** Whether there is any bridge to ask about. */
  readonly wanted: () => boolean;
  /** `namespace/name`: something else is told of it than before. */
  readonly changed: (bridge: string) => void;
  /** Milliseconds between two rounds of questions. */
  readonly everyMs: number;
}

/** Asks every receiver; where one does not answer, what it told last goes on counting for as long as it is ready. */
export function createBridgeReports(options: BridgeReportsOptions): BridgeReports {
  const { ask, token, wanted, changed, everyMs } = options;
  const stopping = new AbortController();
  let endpoints: readonly ReceiverEndpoint[] = [];
  let told: ReadonlyMap<string, readonly BridgeReport[]> = new Map();
  /** By the URL of a receiver, its last answer. */
  const last = new Map<string, readonly BridgeReport[]>();
  let timer: NodeJS.Timeout | undefined;
  let asking = false;

  async function answers(): Promise<readonly BridgeReport[]> {
    await Promise.all(
      endpoints.map(async ({ url }) => {
        try {
          last.set(url, await ask({ url, token: await token(false), signal: stopping.signal }));
        } catch {
          // Whether it is well is the confirmer's to tell.
        }
      }),
    );
    // Those that left meanwhile are no receivers any more.
    const ready = new Set(endpoints.map(({ url }) => url));
    for (const url of last.keys()) if (!ready.has(url)) last.delete(url);
    return [...last.values()].flat();
  }

  async function round(): Promise<void> {
    if (asking || !wanted()) return;
    asking = true;
    const now = byBridge(await answers());
    asking = false;
    const before = told;
    told = now;
    for (const bridge of new Set([...before.keys(), ...now.keys()])) {
      if (JSON.stringify(before.get(bridge)) !== JSON.stringify(now.get(bridge))) changed(bridge);
    }
  }

  return {
    receivers(now) {
      endpoints = now;
    },
    of: (bridge) => told.get(bridge) ?? [],
    start() {
      timer = setInterval(() => void round(), everyMs);
    },
    stop() {
      stopping.abort();
      clearInterval(timer);
    },
  };
}

/** One that reads comes first: it is the one that knows. What only stands by tells nothing. */
function byBridge(reports: readonly BridgeReport[]): ReadonlyMap<string, readonly BridgeReport[]> {
  const by = new Map<string, BridgeReport[]>();
  for (const { bridge, state, transport, trouble, lossless } of reports) {
    if (state === 'Standby') continue;
    const own: BridgeReport = {
      bridge,
      state,
      ...(transport === undefined ? {} : { transport }),
      ...(trouble === undefined ? {} : { trouble }),
      ...(lossless === undefined ? {} : { lossless }),
    };
    by.set(
      bridge,
      [...(by.get(bridge) ?? []), own].sort((a, b) => rank(a) - rank(b)),
    );
  }
  return by;
}

function rank({ state }: BridgeReport): number {
  return state === 'Reading' ? 0 : 1;
}
