import { originOf } from '../deliver/loop-guard.ts';
import type { OutboundClient, SetTimer } from '../deliver/outbound.ts';
import type { Journal, RowWrite, StateRow, UnitOutcome } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { RunningBridge } from '../routing/runtime.ts';
import type { WriteEvents } from './entrance.ts';
import {
  LEASE_KIND,
  leaseStep,
  RENEW_MS,
  removeLease,
  type SeenLease,
  seenLease,
  writeLease,
} from './lease.ts';
import { POSITION_KIND, placeOf } from './position.ts';
import { createReader, type Reader, type ReaderParts } from './reader.ts';
import type { BridgeStatus } from './status.ts';
import type { Transport } from './transport.ts';
import { TRANSPORTS } from './transports.ts';

/** What the bridges of a receiver work with. */
export interface BridgesParts {
  readonly journal: Pick<Journal, 'commit' | 'rows'>;
  readonly client: Pick<OutboundClient, 'read' | 'stream'>;
  readonly write: WriteEvents;
  /** Told what the bridges count. */
  readonly counted: ReaderParts['counted'];
  /** What this receiver is called by others: the same after a restart. */
  readonly holder: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly setTimer: SetTimer;
  readonly log: Log;
}

/** The bridges of a receiver: each is read by one receiver of all. */
export interface Bridges {
  /** A table is in force. */
  apply(bridges: ReadonlyMap<string, RunningBridge>): void;
  list(): readonly BridgeStatus[];
  /** Reads no more, and gives what it has to the others. */
  stop(): Promise<void>;
}

interface Held {
  bridge: RunningBridge;
  /** Made once, for it remembers what the backend has. */
  transport: Transport;
  seen: SeenLease | undefined;
  /** The lease's version, where this receiver has it. */
  version: number | undefined;
  reader: Reader | undefined;
}

/** Makes them; nothing is read before `apply`. */
export function createBridges(parts: BridgesParts): Bridges {
  const { journal, holder, now, setTimer, log } = parts;
  let all = new Map<string, Held>();
  let sweeping: Promise<void> | undefined;
  let again = false;
  let cancel: (() => void) | undefined;
  let stopped = false;
  let renewedAt = 0;

  function sweepSoon(): void {
    again = true;
    if (sweeping !== undefined || stopped) return;
    cancel?.();
    cancel = undefined;
    sweeping = sweepAll().finally(() => {
      sweeping = undefined;
      if (!stopped && all.size > 0) cancel = setTimer(sweepSoon, RENEW_MS);
    });
  }

  async function sweepAll(): Promise<void> {
    while (again && !stopped) {
      again = false;
      try {
        await sweep();
      } catch (error) {
        log.error({ error: String(error) }, "the bridges' leases cannot be read or written");
        stepDownWhereLate();
      }
    }
  }

  /** Renews what is held, takes what is free; all in one transaction. */
  async function sweep(): Promise<void> {
    const held = [...all.values()];
    if (held.length === 0) return;
    const rows = await journal.rows(
      LEASE_KIND,
      held.map(({ bridge }) => bridge.entrance),
    );
    const at = now();
    const wanted = held.filter((one, i) => wants(one, rows[i], at));
    if (wanted.length === 0) return;
    const outcomes = await commit(
      wanted.map((one) => {
        const expect = one.version ?? one.seen?.version ?? 0;
        return writeLease(one.bridge.entrance, one.bridge.key, holder, expect, at);
      }),
    );
    renewedAt = at;
    await Promise.all(wanted.map((one, i) => judged(one, outcomes[i])));
  }

  function wants(one: Held, row: StateRow | undefined, at: number): boolean {
    one.seen = seenLease(row, one.seen, at);
    if (one.version !== undefined) return true;
    return leaseStep(one.seen, holder, at) === 'take';
  }

  async function judged(one: Held, outcome: UnitOutcome | undefined): Promise<void> {
    if (outcome?.outcome !== 'committed') {
      if (one.version !== undefined)
        log.warn({ bridge: one.bridge.key }, 'another receiver has taken a bridge over');
      letGo(one);
      return;
    }
    one.version = (one.version ?? one.seen?.version ?? 0) + 1;
    one.seen = { version: one.version, holder, since: now() };
    if (one.reader === undefined) await startReading(one);
  }

  async function startReading(one: Held): Promise<void> {
    const { bridge, transport } = one;
    const [row] = await journal.rows(POSITION_KIND, [bridge.key]);
    if (stopped || one.version === undefined || all.get(bridge.key) !== one || one.bridge !== bridge) return;
    if (bridge.entry.source.backend.unresolved !== undefined) return;
    const { client, write, counted, random, randomBytes } = parts;
    one.reader = createReader({
      bridge,
      transport,
      client,
      write,
      counted,
      now,
      random,
      randomBytes,
      setTimer,
      log,
      place: placeOf(row, originOf(bridge.entry.source.backend.url)),
      lost: () => {
        log.warn({ bridge: bridge.key }, 'another receiver reads a bridge by now');
        letGo(one);
      },
    });
  }

  function letGo(one: Held): void {
    one.reader?.stop();
    one.reader = undefined;
    one.version = undefined;
  }

  /** Leases that could not be renewed are others' to take. */
  function stepDownWhereLate(): void {
    if (now() - renewedAt < 2 * RENEW_MS) return;
    for (const one of all.values()) if (one.version !== undefined) letGo(one);
  }

  function commit(rows: readonly RowWrite[]): Promise<readonly UnitOutcome[]> {
    return new Promise((resolve, reject) => {
      const units = rows.map((row) => ({ deliveries: [], rows: [row], answer: '' }));
      journal.commit(units, (error, outcomes) => {
        if (error === undefined) resolve(outcomes);
        else reject(error);
      });
    });
  }

  function replaced(before: Held | undefined, bridge: RunningBridge): Held {
    if (before?.bridge === bridge) return before;
    before?.reader?.stop();
    const { transport } = bridge.entry.source;
    const made = { bridge, transport: TRANSPORTS[transport](), reader: undefined };
    // An edit changes how it is read, and not who reads.
    return { ...made, seen: before?.seen, version: before?.version };
  }

  async function giveBack(ones: readonly Held[]): Promise<void> {
    const rows = ones.flatMap(({ bridge, version }) =>
      version === undefined ? [] : [removeLease(bridge.entrance, version)],
    );
    for (const one of ones) letGo(one);
    if (rows.length === 0) return;
    // Where that fails, the others wait for as long as they would for a receiver that was killed.
    await commit(rows).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'leases could not be given back'),
    );
  }

  return {
    apply(bridges) {
      const before = all;
      all = new Map([...bridges].map(([key, bridge]) => [key, replaced(before.get(key), bridge)]));
      const gone = [...before].filter(([key]) => !all.has(key)).map(([, one]) => one);
      const settled = sweeping ?? Promise.resolve();
      void settled.then(() => giveBack(gone));
      if (all.size > 0) sweepSoon();
    },
    list: () =>
      [...all.values()].map(({ bridge, reader, version }) => {
        if (reader !== undefined) return reader.status;
        const { unresolved } = bridge.entry.source.backend;
        if (unresolved !== undefined) return { bridge: bridge.key, state: 'Down', trouble: unresolved };
        return { bridge: bridge.key, state: version === undefined ? 'Standby' : 'Connecting' };
      }),
    async stop() {
      stopped = true;
      cancel?.();
      await sweeping;
      await giveBack([...all.values()]);
    },
  };
}
