import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeWithPostgres } from '../../test/postgres/suite.ts';
import { viewData } from '../event/data-view.ts';
import type { Journal, Unit } from '../journal/journal.ts';
import type { Place } from '../journal/journal-suite.ts';
import { commit, unit } from '../journal/journal-testing.ts';
import { parsePostgresAddress } from '../journal/postgres/address.ts';
import { openPostgresJournal } from '../journal/postgres/postgres-journal.ts';
import { openSqliteJournal } from '../journal/sqlite/sqlite-journal.ts';
import { POLICY } from '../routing/testing.ts';
import { createClient } from './client.ts';
import { createEngine } from './engine.ts';
import type { Route } from './engine-contract.ts';
import { systemTimer } from './outbound.ts';
import { createMemoryLog, NO_TASKS, plainRenderer, SHAPE, someEvent, startTarget } from './testing.ts';

const TRIGGER = 'shop/orders';

/** An engine on the real journal, and how to wait for its deliveries without asking again and again. */
async function open(place: Place, route: (trigger: string) => Route) {
  const journal = await place.open();
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });
  const watchers: { readonly state: string; count: number; readonly resolve: () => void }[] = [];
  const settle: Journal['settle'] = (settlement) => {
    journal.settle(settlement);
    for (const watcher of watchers)
      if (watcher.state === settlement.state && --watcher.count === 0) watcher.resolve();
  };
  const claimed: string[] = [];
  const claim: Journal['claim'] = async (...bounds) => {
    const deliveries = await journal.claim(...bounds);
    for (const { trigger } of deliveries) claimed.push(trigger);
    return deliveries;
  };
  const engine = createEngine({
    journal: { ...journal, settle, claim },
    client,
    tasks: NO_TASKS,
    routes: { route, renderer: () => plainRenderer },
    deadLetterRenderer: plainRenderer,
    view: viewData,
    now: Date.now,
    random: Math.random,
    setTimer: systemTimer,
    observer: { attempted() {}, tried() {}, ended() {}, dead() {} },
    log: createMemoryLog(),
  });
  return {
    journal,
    engine,
    /** The trigger of each delivery that was read back, in order. */
    claimed,
    settled: (state: string, count: number) =>
      new Promise<void>((resolve) => watchers.push({ state, count, resolve })),
    accept(ids: readonly string[]): Promise<void> {
      const now = Date.now();
      const events = ids.map((id) => someEvent(id));
      const units = events.map(
        (event): Unit => ({
          event: {
            entrance: 'WebhookSecret/shop/hooks',
            receivedAt: now,
            attributes: JSON.stringify(event.attributes),
            data: event.body,
            record: '{}',
          },
          deliveries: [{ trigger: TRIGGER, shape: SHAPE, due: now, held: true }],
          answer: '[]',
        }),
      );
      return new Promise((resolve, reject) => {
        journal.commit(units, (error, outcomes) => {
          if (error !== undefined) return reject(error);
          resolve();
          const held = outcomes.flatMap((outcome, i) => {
            const id = outcome.outcome === 'committed' ? outcome.deliveries[0] : undefined;
            if (id === undefined) return [];
            return [
              {
                id,
                trigger: TRIGGER,
                shape: SHAPE,
                event: events[i]!,
                entrance: 'e',
                receivedAt: now,
                attempts: 0,
              },
            ];
          });
          engine.hand(held);
        });
      });
    },
    async close() {
      await engine.drain(0);
      await client.close();
      await journal.close();
    },
  };
}

/** What the engine must do on every journal. */
function engineOnJournal(name: string, makePlace: () => Promise<Place>): void {
  describe(`the delivery engine on ${name}`, () => {
    it('carries deliveries over suspension, failures and restarts on the real journal', async () => {
      const place = await makePlace();
      let suspend = true;
      await using target = await startTarget((response, _request, count) =>
        response.writeHead(count === 1 ? 500 : 202).end(),
      );
      const route = (): Route => ({
        suspend,
        destination: { kind: 'sink', url: target.url, headers: [] },
        policy: { ...POLICY, backoffDelayMs: 5, concurrency: 1 },
      });
      try {
        const first = await open(place, route);
        first.engine.start();
        const parked = first.settled('parked', 3);
        await first.accept(['1', '2', '3']);
        await parked;
        await first.close();

        suspend = false;
        const second = await open(place, route);
        second.engine.start();
        const delivered = second.settled('delivered', 3);
        second.engine.routesChanged([TRIGGER]);
        await delivered;
        await second.journal.flush();
        const { items } = await second.journal.deliveries({ limit: 10 });
        expect(items.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered']);
        expect(items.map(({ attempts }) => attempts.length).toSorted()).toEqual([1, 1, 2]);
        await second.close();

        const bodies = target.received.map(({ body, headers }) => [headers['ce-id'], body.length]);
        expect(bodies).toHaveLength(4);
        expect(bodies.every(([, length]) => length === 500)).toBe(true);
        const keys = target.received.filter(
          ({ headers }) => headers['ce-id'] === target.received[0]?.headers['ce-id'],
        );
        expect(keys).toHaveLength(2);
        expect(keys[0]?.headers['idempotency-key']).toBe(keys[1]?.headers['idempotency-key']);
      } finally {
        await place.remove();
      }
    });

    it('reads ten of one trigger back before thousands of another that were due earlier', async () => {
      const place = await makePlace();
      await using hanging = await startTarget(() => undefined);
      await using healthy = await startTarget((response) => response.end());
      const urls: Readonly<Record<string, string>> = { 'shop/many': hanging.url, 'shop/ten': healthy.url };
      const route = (trigger: string): Route => ({
        suspend: false,
        destination: { kind: 'sink', url: urls[trigger] ?? '', headers: [] },
        policy: { ...POLICY, concurrency: 1 },
      });
      const due = Date.now() - 60_000;
      const waiting = (trigger: string, count: number, at: number) =>
        Array.from({ length: count }, () => unit({ at, triggers: [trigger], shape: SHAPE }));
      try {
        const { journal, engine, claimed, settled, close } = await open(place, route);
        await commit(journal, waiting('shop/many', 3000, due));
        await commit(journal, waiting('shop/ten', 10, due + 1));
        const delivered = settled('delivered', 10);
        engine.start();
        await delivered;
        expect(claimed.slice(0, claimed.lastIndexOf('shop/ten') + 1).length).toBeLessThan(600);
        await close();
      } finally {
        await place.remove();
      }
    });

    it('loses nothing of what was held when the process ends at once', async () => {
      const place = await makePlace();
      let up = false;
      await using target = await startTarget((response) => {
        if (up) response.end();
      });
      const route = (): Route => ({
        suspend: false,
        destination: { kind: 'sink', url: target.url, headers: [] },
        policy: { ...POLICY, concurrency: 2 },
      });
      try {
        const first = await open(place, route);
        await first.accept(['1', '2', '3', '4']);
        await target.got(2);
        // The journal ends without a drain, as in a crash: nothing of these was settled.
        await first.journal.close();
        up = true;
        const second = await open(place, route);
        const delivered = second.settled('delivered', 4);
        second.engine.start();
        await delivered;
        await second.close();
        const ids = new Set(target.received.slice(2).map(({ headers }) => headers['ce-id']));
        expect(ids).toEqual(new Set(['1', '2', '3', '4']));
      } finally {
        await place.remove();
      }
    });
  });
}

engineOnJournal('SQLite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-engine-'));
  return {
    open: () => openSqliteJournal({ directory }),
    remove: () => rm(directory, { recursive: true }),
  };
});

describeWithPostgres('PostgreSQL', (postgres) => {
  engineOnJournal('PostgreSQL', async () => {
    const database = await postgres.database();
    return {
      open: () => openPostgresJournal({ address: parsePostgresAddress(database.url) }),
      remove: database.drop,
    };
  });
});
