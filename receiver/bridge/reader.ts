import { originOf } from '../deliver/loop-guard.ts';
import type { OutboundClient, SetTimer } from '../deliver/outbound.ts';
import type { CloudEvent } from '../event/event.ts';
import type { Log } from '../observe/log.ts';
import type { RunningBridge } from '../routing/runtime.ts';
import { completed } from './complete.ts';
import { createEnricher } from './enricher.ts';
import type { WriteEvents, Written } from './entrance.ts';
import { createJobReader } from './job-reader.ts';
import { detailsOf, type JobRecord } from './job-record.ts';
import { createJobStates } from './job-states.ts';
import { normalise } from './normalise.ts';
import { createOutbox, type Parcel } from './outbox.ts';
import type { Place } from './position.ts';
import { readMessage } from './read-message.ts';
import type { Reading, StateChange } from './reading.ts';
import { reconcile } from './reconcile.ts';
import { delayOf } from './reconnect.ts';
import type { BridgeStatus, Lossless } from './status.ts';
import { createTally, type Tally } from './tally.ts';
import type { Connection, Ended, Reads, Transport } from './transport.ts';
import { createWriter } from './writer.ts';

/** What a reader works with. */
export interface ReaderParts {
  readonly bridge: RunningBridge;
  readonly transport: Transport;
  readonly place: Place;
  readonly client: Pick<OutboundClient, 'read' | 'stream'>;
  readonly write: WriteEvents;
  /** Told what was counted, as it is. */
  readonly counted: (what: keyof Tally, by: number) => void;
  /** Another receiver has taken the bridge over. */
  readonly lost: () => void;
  readonly now: () => number;
  readonly random: () => number;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly setTimer: SetTimer;
  readonly log: Log;
}

/** Reads one backend, for as long as this receiver has the bridge. */
export interface Reader {
  readonly status: BridgeStatus;
  stop(): void;
}

/** From so many on, the backend has to wait; below so many, it need not any more. */
const FULL = 4000;
const ROOM = 1000;
/** Jobs whose state is known. */
const KNOWN_JOBS = 20_000;
/** What a backend drops from a full buffer shows in nothing: jobs are read so often in any case. */
const RECONCILE_MS = 60_000;
/** Broken messages are all counted, and told once in so long. */
const TELL_BROKEN_MS = 10_000;
const MOST_TOLD = 200;

/** Starts reading. */
export function createReader(parts: ReaderParts): Reader {
  const { bridge, client, now, setTimer, log } = parts;
  const { entry, wanted, outgoing } = bridge;
  const { source } = entry;
  const before = parts.place.position;
  const told = createJobStates(before?.jobs ?? [], KNOWN_JOBS);
  const jobs = createJobReader(source, client, now);
  const enricher = createEnricher(jobs);
  const outbox = createOutbox();
  const tally = createTally();
  const timers = new Set<() => void>();
  const writer = createWriter({
    bridge,
    origin: originOf(source.backend.url),
    place: parts.place,
    outbox,
    write: parts.write,
    caughtUp: () => state === 'Reading' && !reconciling,
    keepsJobs: () => how?.replay === 'none',
    written,
    lost() {
      stop();
      parts.lost();
    },
    now,
    setTimer,
    log,
  });
  /** What comes after it was not handed over yet. */
  let cursor = before?.cursor;
  let state: BridgeStatus['state'] = 'Connecting';
  let how: Reads | undefined;
  let trouble: string | undefined;
  let lossless: Lossless | undefined;
  let lastEvent: number | undefined;
  let lastBroken: string | undefined;
  let brokenToldAt = Number.NEGATIVE_INFINITY;
  let connection: Connection | undefined;
  let connectedAt = 0;
  let failures = 0;
  let full = false;
  let reconciling = false;
  let reconcileAgain = false;
  let over = false;

  function count(what: keyof Tally, by: number): void {
    tally[what] += by;
    parts.counted(what, by);
  }

  function later(work: () => void, ms: number): void {
    const cancel = setTimer(() => {
      timers.delete(cancel);
      if (!over) work();
    }, ms);
    timers.add(cancel);
  }

  // ---- the connection

  function connect(): void {
    let current = true;
    const opened = parts.transport(
      { source, client, setTimer, randomBytes: parts.randomBytes, cursor },
      {
        reads: (reads) => {
          if (!over) begin(reads);
        },
        message,
        page(to, safe) {
          cursor = to;
          outbox.push({ events: [], page: { cursor: to, safe } });
          writer.plan();
        },
        broken,
        ended(end) {
          current = false;
          if (!over) ended(end);
        },
      },
    );
    if (current) connection = opened;
    if (current && full) opened.pause();
  }

  function begin(reads: Reads): void {
    if (state !== 'Reading') log.info({ ...tell(), transport: reads.transport }, 'a bridge reads');
    state = 'Reading';
    trouble = undefined;
    how = reads;
    connectedAt = now();
    count('connects', 1);
    // Written at once: whoever read before is fenced off, and the first gap has a beginning.
    writer.plan();
    if (reads.replay === 'none') reconcileNow();
    else lossless = REPLAYS[reads.replay];
  }

  function ended({ cause, missing }: Ended): void {
    connection = undefined;
    const wasReading = state === 'Reading';
    failures = wasReading && now() - connectedAt >= STEADY_MS ? 0 : failures + 1;
    // A cut is a matter of course; what is worth telling is a backend that does not come back at once.
    if (failures > 0) {
      if (state !== 'Down')
        log.warn({ ...tell(), cause }, 'a bridge cannot read from its backend; it tries again');
      state = 'Down';
      trouble = cause;
    } else state = 'Connecting';
    later(connect, delayOf(failures, missing, parts.random));
  }

  // ---- what it says

  function message(json: Buffer): void {
    if (over) return;
    count('messages', 1);
    try {
      read(json);
    } catch (error) {
      // Whatever it is: a message that makes the receiver stumble must not stop the bridge, or the process.
      broken(causeOf(error));
    }
  }

  function read(json: Buffer): void {
    const readings = readMessage(json);
    lastEvent = now();
    const [first] = readings;
    if (first?.standing !== undefined && !told.told(first.standing)) {
      count('repeated', 1);
      return;
    }
    take(readings, first?.change, undefined);
  }

  function broken(cause: string): void {
    count('broken', 1);
    lastBroken = cause.slice(0, MOST_TOLD);
    if (now() - brokenToldAt < TELL_BROKEN_MS) return;
    brokenToldAt = now();
    log.warn(
      { ...tell(), cause: lastBroken, broken: tally.broken },
      'a bridge passed over what it cannot read',
    );
  }

  function take(
    readings: readonly Reading[],
    change: StateChange | undefined,
    job: JobRecord | undefined,
  ): void {
    const mine = readings.filter(wanted);
    count('unwanted', readings.length - mine.length);
    if (mine.length === 0) return;
    const parcel: Parcel = { events: undefined, standing: mine[0]?.standing, attempt: job?.attempt };
    outbox.push(parcel);
    const asked = job === undefined && source.enrich ? jobOf(mine, change) : undefined;
    if (asked === undefined) fill(parcel, mine, change, job);
    else
      enricher.ask(asked, (found) => {
        count(found === undefined ? 'unenriched' : 'enriched', mine.length);
        fill(parcel, mine, change, found);
      });
    if (!full && outbox.size > FULL) {
      full = true;
      connection?.pause();
    }
  }

  function fill(
    parcel: Parcel,
    readings: readonly Reading[],
    change: StateChange | undefined,
    job: JobRecord | undefined,
  ): void {
    try {
      parcel.events = made(readings, change, job);
    } catch (error) {
      // Left open, it would hold up all that came after it.
      parcel.events = [];
      broken(causeOf(error));
    }
    writer.plan();
  }

  function made(
    readings: readonly Reading[],
    change: StateChange | undefined,
    job: JobRecord | undefined,
  ): readonly CloudEvent[] {
    if (job === undefined) return readings.map((reading) => outgoing(reading));
    return whole(readings, change, job).map((reading) => outgoing(reading, job.origin));
  }

  /** With what the job adds. */
  function whole(
    readings: readonly Reading[],
    change: StateChange | undefined,
    job: JobRecord,
  ): readonly Reading[] {
    if (!source.enrich) return readings;
    if (change === undefined) return readings.map((reading) => completed(reading, job));
    return normalise(change, detailsOf(job, change)).filter(wanted);
  }

  // ---- what nobody told

  function reconcileNow(): void {
    reconcileAgain = true;
    if (reconciling) return;
    reconciling = true;
    void (async () => {
      while (reconcileAgain && !over) {
        reconcileAgain = false;
        await reconcileOnce(writer.until);
      }
      reconciling = false;
    })();
  }

  async function reconcileOnce(since: number): Promise<void> {
    const found = (change: StateChange, job: JobRecord): void => take(normalise(change), change, job);
    const result = await reconcile({ jobs, states: told, found, over: () => over }, since).catch(
      (error: unknown) => ({ complete: false, cause: causeOf(error), found: 0 }),
    );
    if (over) return;
    count('found', result.found);
    const next = losslessBy(result);
    if (next.status === 'False' && lossless?.reason !== next.reason)
      log.warn({ ...tell(), cause: next.message }, 'a bridge may miss events');
    lossless = next;
  }

  function keepReconciling(): void {
    if (state === 'Reading' && how?.replay === 'none') reconcileNow();
    later(keepReconciling, RECONCILE_MS);
  }

  // ---- into the journal

  function written({ events, duplicates, differing }: Written): void {
    count('events', events);
    count('duplicates', duplicates);
    count('differing', differing);
    if (full && outbox.size < ROOM) {
      full = false;
      connection?.resume();
    }
  }

  function stop(): void {
    over = true;
    writer.stop();
    connection?.close();
    for (const cancel of timers) cancel();
  }

  function tell(): { readonly bridge: string } {
    return { bridge: bridge.key };
  }

  connect();
  later(keepReconciling, RECONCILE_MS);
  return {
    get status() {
      return {
        bridge: bridge.key,
        state,
        ...(how === undefined ? {} : { transport: how.transport }),
        ...(trouble === undefined ? {} : { trouble }),
        ...(lossless === undefined ? {} : { lossless }),
        ...(lastEvent === undefined ? {} : { lastEvent }),
        ...(lastBroken === undefined ? {} : { lastBroken }),
        counts: { ...tally },
      };
    },
    stop,
  };
}

function causeOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The job that tells more of an event than it does itself. */
function jobOf([first]: readonly Reading[], change: StateChange | undefined): string | undefined {
  return change?.jobId ?? (first?.lacks === undefined ? undefined : first.subject);
}

/** A connection that lasted so long was none that failed. */
const STEADY_MS = 500;

const REPLAYS: Readonly<Record<'cursor' | 'calls', Lossless>> = {
  cursor: {
    status: 'True',
    reason: 'CursorKept',
    message: 'the backend keeps its events, and the journal the place up to which they were read',
  },
  calls: {
    status: 'True',
    reason: 'BackendRetries',
    message: 'the backend calls again until it is answered',
  },
};

function losslessBy(result: {
  readonly complete: boolean;
  readonly cause?: string;
  readonly missing?: boolean;
}): Lossless {
  if (result.complete) {
    const message = 'after each gap the jobs are read, and what was missed is told';
    return { status: 'True', reason: 'Reconciled', message };
  }
  const cause = result.cause ?? 'the jobs could not be read';
  if (result.missing === true) {
    const message = `the backend replays nothing and lists no jobs (${cause}): what it tells of other jobs than those under way during a gap is lost`;
    return { status: 'False', reason: 'NoReplay', message };
  }
  return { status: 'False', reason: 'ReconcileFailed', message: `after the last gap: ${cause}` };
}
