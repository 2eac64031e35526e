import type pg from 'pg';
import { isDecidedAgain } from './postgres-error.ts';
import { BEAT_MS, beat, createWatch, endSession, otherSessions } from './sessions.ts';

const CHANNEL = 'signalbox_due';
/** Others are told of work at most so often. */
const TELL_MS = 100;

/** What it works with. */
export interface PresenceParts {
  readonly connect: () => Promise<pg.Client>;
  readonly session: () => string;
  /** That session was given up by the others: makes another. */
  readonly renew: (gone: string) => Promise<void>;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  readonly shown: string;
  /** Called at each beat. */
  readonly looked: () => Promise<void>;
  readonly log?: { warn(fields: object, message: string): void } | undefined;
}

/** A receiver among the others, on a connection of its own: shows that it lives, takes over from those that do not. */
export interface Presence {
  /** Tells the others that there is work which anybody may do. Without it they find it when they next look. */
  tell(): void;
  /** There is such work, of which this receiver did not know either. */
  found(): void;
  /** Calls back when others may have left work. */
  watch(due: () => void): void;
  end(): Promise<void>;
}

/** Makes it; it begins at once. */
export function createPresence(parts: PresenceParts): Presence {
  const { connect, session, renew, clock, shown, log } = parts;
  const watch = createWatch();
  const watchers: (() => void)[] = [];
  let client: pg.Client | undefined;
  let telling: NodeJS.Timeout | undefined;
  let told = Number.NEGATIVE_INFINITY;
  let away = false;
  let ended = false;
  let turn: Promise<void> = Promise.resolve();

  const due = (): void => {
    for (const each of watchers) each();
  };

  async function connected(): Promise<pg.Client> {
    if (client !== undefined) return client;
    const fresh = await connect();
    fresh.on('notification', ({ payload }) => {
      if (payload !== session()) due();
    });
    fresh.on('end', () => {
      if (client === fresh) client = undefined;
    });
    await fresh.query(`LISTEN ${CHANNEL}`);
    client = fresh;
    return fresh;
  }

  async function look(): Promise<void> {
    const on = await connected();
    const own = session();
    if (!(await beat(on, own))) await renew(own);
    await parts.looked();
    for (const { id, beat } of watch.look(await otherSessions(on, session()), clock())) {
      const taken = await takeOver(on, id, beat);
      if (taken === undefined) continue;
      log?.warn(
        { database: shown, deliveries: taken },
        'another receiver stands still; what it held is anybody’s now',
      );
      // Even where it held no delivery: rows may be due that it would have seen to.
      found();
    }
  }

  /** One that stands still in the middle of a transaction has its row locked until the server ends it: the next look. */
  async function takeOver(on: pg.Client, id: string, beat: string): Promise<number | undefined> {
    try {
      return await endSession(on, id, beat);
    } catch (error) {
      if (isDecidedAgain(error)) return undefined;
      throw error;
    }
  }

  async function beatAfter(before: Promise<void>): Promise<void> {
    await before;
    if (ended) return;
    try {
      await look();
      if (away) log?.warn({ database: shown }, 'the database is there again');
      away = false;
    } catch (error) {
      if (!away) log?.warn({ database: shown, error: String(error) }, 'the database is away');
      away = true;
      void client?.end().catch(() => undefined);
      client = undefined;
    }
  }

  function beatOnce(): void {
    turn = beatAfter(turn);
  }

  function tell(): void {
    if (telling !== undefined || ended) return;
    telling = setTimeout(
      () => {
        telling = undefined;
        told = clock();
        client
          ?.query({ text: 'SELECT pg_notify($1, $2)', values: [CHANNEL, session()] })
          .catch(() => undefined);
      },
      Math.max(0, told + TELL_MS - clock()),
    );
  }

  function found(): void {
    due();
    tell();
  }

  const timer = setInterval(beatOnce, BEAT_MS);
  beatOnce();

  return {
    tell,
    found,
    watch(callback) {
      watchers.push(callback);
    },
    async end() {
      ended = true;
      clearInterval(timer);
      clearTimeout(telling);
      await turn;
      await client?.end().catch(() => undefined);
    },
  };
}
