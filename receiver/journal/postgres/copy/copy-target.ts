import { hash } from 'node:crypto';
import type pg from 'pg';
import { JournalError } from '../../journal.ts';
import { bigints, byteas, float8s, int4s, int8s, texts, uuids } from '../binary-array.ts';
import { noteIds } from '../id-blocks.ts';
import { fingerprintOf } from '../judge.ts';
import { createNames, type Names } from '../names.ts';
import { STATE } from '../schema.ts';
import { ROW_BYTES } from '../tally.ts';
import { putRows } from './put-rows.ts';
import type { JournalSource, SourceDelivery, SourceEvent, SourceKey } from './sqlite-source.ts';

/** All that is copied lies in the first partition, under the numbers that it had. */
export const PART = 0;
const BLOCK = 256;

/** What writes a copy: each piece in one transaction with how far it is, then read back and compared. */
export function createCopy(client: pg.Client, source: JournalSource, shown: string) {
  const names: Names = createNames();

  async function mark(what: string, through: number): Promise<void> {
    await client.query({
      name: 'copy-mark',
      text: 'INSERT INTO copied VALUES ($1, $2) ON CONFLICT (what) DO UPDATE SET through = excluded.through',
      values: [what, through],
    });
  }

  async function together(work: () => Promise<void>): Promise<void> {
    await client.query('BEGIN');
    try {
      await work();
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  async function add(kind: string, owner: string, status: string, n: number): Promise<void> {
    await client.query({
      name: 'copy-tally',
      text: `INSERT INTO tally VALUES (0, $1, $2, $3, $4)
        ON CONFLICT (slot, kind, owner, status) DO UPDATE SET n = tally.n + excluded.n`,
      values: [kind, owner, status, n],
    });
  }

  /** Compares what was read back with what was written; both by their name. */
  function compare(
    what: string,
    written: ReadonlyMap<string, string>,
    read: ReadonlyMap<string, string>,
  ): void {
    for (const [name, digest] of written) {
      if (read.get(name) === digest) continue;
      const how = read.has(name) ? 'differs' : 'is missing';
      throw new JournalError(
        'JournalCorrupt',
        `${what} ${name} ${how} in ${shown}: it is no copy of this journal; begin with an empty database`,
      );
    }
  }

  async function defineNames(deliveries: readonly SourceDelivery[]): Promise<void> {
    await names.define(
      client,
      deliveries.flatMap(({ trigger, shape }) => [trigger, shape]),
    );
    const shapes = [...new Set(deliveries.map(({ shape }) => names.id(shape)))];
    await client.query({
      text: `INSERT INTO shape_in SELECT ${PART}, unnest($1::int4[]) ON CONFLICT DO NOTHING`,
      values: [int4s(shapes)],
    });
  }

  return {
    async through(): Promise<{ events: number; deliveries: number; keys: number }> {
      const { rows } = await client.query('SELECT what, through FROM copied');
      const found = new Map(
        (rows as { what: string; through: number }[]).map((row) => [row.what, row.through]),
      );
      return {
        events: found.get('events') ?? 0,
        deliveries: found.get('deliveries') ?? 0,
        keys: found.get('keys') ?? 0,
      };
    },
    async shapes(): Promise<void> {
      const shapes = source.shapes();
      await names.define(
        client,
        shapes.map(({ hash: each }) => each),
      );
      await client.query({
        text: 'INSERT INTO shape SELECT * FROM unnest($1::int4[], $2::text[]) ON CONFLICT DO NOTHING',
        values: [int4s(shapes.map((shape) => names.id(shape.hash))), texts(shapes.map(({ body }) => body))],
      });
      await client.query({
        text: `INSERT INTO shape_in SELECT ${PART}, unnest($1::int4[]) ON CONFLICT DO NOTHING`,
        values: [int4s(shapes.map((shape) => names.id(shape.hash)))],
      });
    },
    async events(events: readonly SourceEvent[]): Promise<void> {
      await names.define(
        client,
        events.map(({ entrance }) => entrance),
      );
      const size = events.reduce(
        (sum, { attributes, record, data, deliveries }) =>
          sum +
          ROW_BYTES.event +
          attributes.length +
          record.length +
          (data?.length ?? 0) +
          deliveries * ROW_BYTES.delivery,
        0,
      );
      await together(async () => {
        await client.query({
          name: 'copy-events',
          text: `INSERT INTO event SELECT * FROM unnest($1::int8[], $2::float8[], $3::int4[], $4::int8[], $5::int4[],
            $6::text[], $7::text[], $8::bytea[])`,
          values: [
            int8s(events.map(({ id }) => id)),
            float8s(events.map(({ received }) => received)),
            int4s(events.map(({ entrance }) => names.id(entrance))),
            int8s(events.map(({ first }) => first)),
            int4s(events.map(({ deliveries }) => deliveries)),
            texts(events.map(({ attributes }) => attributes)),
            texts(events.map(({ record }) => record)),
            byteas(events.map(({ data }) => data)),
          ],
        });
        noteIds(client, events);
        await add('part', String(PART), 'events', events.length);
        await add('part', String(PART), 'bytes', size);
        await mark('events', events.at(-1)?.id ?? 0);
      });
      const { rows } = await client.query({
        name: 'copy-events-read',
        text: 'SELECT id, received, attributes, record, data FROM event WHERE id >= $1 AND id <= $2',
        values: [events[0]?.id ?? 0, events.at(-1)?.id ?? 0],
      });
      const digestOf = (
        event: Pick<SourceEvent, 'received' | 'attributes' | 'record'>,
        data: Uint8Array | null | undefined,
      ) => digest(`${event.received}\n${event.attributes}\n${event.record}`, data ?? undefined);
      compare(
        'event',
        new Map(events.map((event) => [String(event.id), digestOf(event, event.data)])),
        new Map(
          (rows as (SourceEvent & { id: string; data: Buffer | null })[]).map((row) => [
            row.id,
            digestOf(row, row.data),
          ]),
        ),
      );
    },
    /**
     * Deliveries that may be something else than at the last copy: those that waited, and all that are dead, since a dead one
     * may have been redriven and have died again. Those that are dead no longer are taken away.
     */
    async changeable(dead: readonly number[]): Promise<readonly number[]> {
      await client.query({
        text: `DELETE FROM ended WHERE state = ${STATE.dead} AND id <> ALL($1::int8[])`,
        values: [int8s(dead)],
      });
      const { rows } = await client.query('SELECT id FROM waiting');
      return [...new Set([...(rows as { id: string }[]).map(({ id }) => Number(id)), ...dead])];
    },
    /** How many of them were new. */
    async ended(deliveries: readonly SourceDelivery[], through: number | undefined): Promise<number> {
      if (deliveries.length === 0) return 0;
      await defineNames(deliveries);
      let count = 0;
      await together(async () => {
        for (const [table, state] of [
          ['done', STATE.delivered],
          ['ended', STATE.dead],
        ] as const) {
          const those = deliveries.filter((each) => each.state === state);
          if (those.length === 0) continue;
          const { rowCount } = await client.query({
            name: `copy-${table}`,
            text: `INSERT INTO ${table} SELECT id, event, trigger, shape, ${state}, at, received, bytes, reason,
                ARRAY(SELECT json_array_elements_text(history::json)), task, line
              FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::float8[], $6::float8[], $7::int4[], $8::text[],
                $9::text[], $10::text[], $11::text[])
              AS t(id, event, trigger, shape, at, received, bytes, reason, history, task, line)
              ON CONFLICT (id) ${state === STATE.dead ? 'DO UPDATE SET at = excluded.at, reason = excluded.reason, history = excluded.history' : 'DO NOTHING'}`,
            values: [...columns(those, names, ({ at }) => at), ...texted(those)],
          });
          count += rowCount ?? 0;
        }
        if (through !== undefined) await mark('deliveries', through);
      });
      const { rows } = await client.query({
        name: 'copy-ended-read',
        text: `SELECT id, event, state, at, reason, to_json(history)::text AS history FROM done WHERE id = ANY($1::int8[])
          UNION ALL SELECT id, event, state, at, reason, to_json(history)::text FROM ended WHERE id = ANY($1::int8[])`,
        values: [int8s(deliveries.map(({ id }) => id))],
      });
      const digestOf = (
        each: { event: number | string; state: number; at: number; reason: string | null },
        history: readonly string[],
      ) => digest([each.event, each.state, each.at, each.reason, ...history].join('\n'));
      compare(
        'delivery',
        new Map(
          deliveries.map((each) => [
            String(each.id),
            digestOf({ ...each, reason: each.reason ?? null }, each.history),
          ]),
        ),
        new Map(
          (
            rows as {
              id: string;
              event: string;
              state: number;
              at: number;
              reason: string | null;
              history: string | null;
            }[]
          ).map((row) => [row.id, digestOf(row, JSON.parse(row.history ?? '[]') as string[])]),
        ),
      );
      return count;
    },
    async keys(keys: readonly SourceKey[], through: number): Promise<void> {
      // Of a key that was taken again, the last counts.
      const last = new Map(keys.map((key) => [Buffer.from(key.key).toString('hex'), key]));
      const all = [...last.values()];
      await together(async () => {
        const { rowCount } = await client.query({
          name: 'copy-keys',
          text: `INSERT INTO seen SELECT * FROM unnest($1::uuid[], $2::int8[], $3::float8[], $4::text[])
            ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, expires = excluded.expires,
              answer = excluded.answer WHERE excluded.expires > seen.expires`,
          values: [
            uuids(all.map(({ key }) => key)),
            bigints(all.map(({ fingerprint }) => fingerprintOf(fingerprint))),
            float8s(all.map(({ expires }) => expires)),
            texts(all.map(({ answer }) => answer)),
          ],
        });
        const bytes = all.reduce((sum, { answer }) => sum + answer.length + ROW_BYTES.key, 0);
        await add('key', '', 'bytes', rowCount === all.length ? bytes : 0);
        await mark('keys', through);
      });
      const { rows } = await client.query({
        name: 'copy-keys-read',
        text: 'SELECT key, fingerprint, expires, answer FROM seen WHERE key = ANY($1::uuid[])',
        values: [uuids(all.map(({ key }) => key))],
      });
      const read = new Map(
        (rows as { key: string; fingerprint: string; expires: number; answer: string }[]).map((row) => [
          row.key.replaceAll('-', ''),
          row,
        ]),
      );
      // One that is older than what is there already is rightly not it.
      const current = [...last].filter(([key, { expires }]) => (read.get(key)?.expires ?? 0) <= expires);
      compare(
        'dedup key',
        new Map(
          current.map(([key, { fingerprint, expires, answer }]) => [
            key,
            `${fingerprintOf(fingerprint)} ${expires} ${answer}`,
          ]),
        ),
        new Map([...read].map(([key, row]) => [key, `${row.fingerprint} ${row.expires} ${row.answer}`])),
      );
    },
    /** All of them, in one transaction, but only those that have changed are written; how many. */
    async rows(): Promise<number> {
      let changed = 0;
      await together(async () => {
        await client.query('CREATE TEMP TABLE kept (kind text, key bytea) ON COMMIT DROP');
        for (let after = 0; ; ) {
          const rows = source.rows(after);
          if (rows.length === 0) break;
          after = rows.at(-1)?.number ?? after;
          changed += await putRows(client, rows);
        }
        await client.query(`DELETE FROM state_row r WHERE NOT EXISTS
          (SELECT FROM kept k WHERE k.kind = r.kind AND k.key = r.key)`);
        await client.query(`DELETE FROM tally WHERE kind LIKE 'row:%'`);
        await client.query(`INSERT INTO tally SELECT 0, 'row:' || kind, owner, status, count(*) FROM state_row
          GROUP BY kind, owner, status`);
        await client.query(`SELECT setval('state_row_id', greatest(1, (SELECT max(id) FROM state_row)))`);
      });
      return changed;
    },
    /** Replaces what waits, in one transaction; how many wait. */
    async waiting(): Promise<number> {
      let count = 0;
      await together(async () => {
        await client.query('DELETE FROM waiting');
        await client.query('DELETE FROM line');
        for (let after = 0; ; ) {
          const rows = source.waiting(after);
          if (rows.length === 0) break;
          after = rows.at(-1)?.id ?? after;
          count += rows.length;
          await defineNames(rows);
          await client.query({
            name: 'copy-waiting',
            text: `INSERT INTO waiting SELECT id, event, trigger, shape, state, due, 0, attempts, received, bytes, reason,
                ARRAY(SELECT json_array_elements_text(history::json)), task, line
              FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::float8[], $6::float8[], $7::int4[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::int4[], $13::int4[])
              AS t(id, event, trigger, shape, due, received, bytes, reason, history, task, line, state, attempts)`,
            values: [
              ...columns(rows, names, ({ due }) => due),
              ...texted(rows),
              int4s(rows.map(({ state }) => state)),
              int4s(rows.map(({ attempts }) => attempts)),
            ],
          });
        }
        await client.query(
          'INSERT INTO line SELECT DISTINCT trigger, line FROM waiting WHERE line IS NOT NULL',
        );
        await client.query(`DELETE FROM tally WHERE kind = 'delivery'`);
        await client.query(`INSERT INTO tally VALUES (0, 'delivery', '', 'backlog', (SELECT count(*) FROM waiting)),
          (0, 'delivery', '', 'dead', (SELECT count(*) FROM ended WHERE state = ${STATE.dead}))`);
      });
      return count;
    },
    async finish({ lastEvent, lastDelivery }: ReturnType<JournalSource['facts']>): Promise<void> {
      // Should a clock be behind, what comes next still gets numbers that nobody has.
      for (const [kind, last] of [
        ['event', lastEvent],
        ['delivery', lastDelivery],
      ] as const)
        await client.query(`ALTER SEQUENCE ${kind}_${PART}_id RESTART WITH ${Math.max(last, 1) + BLOCK}`);
      await mark('deliveries', lastDelivery);
      await client.query('ANALYZE event, done, ended, waiting, seen, state_row');
    },
  };
}

function columns(
  those: readonly SourceDelivery[],
  names: Names,
  time: (delivery: SourceDelivery) => number,
): Buffer[] {
  return [
    int8s(those.map(({ id }) => id)),
    int8s(those.map(({ event }) => event)),
    int4s(those.map(({ trigger }) => names.id(trigger))),
    int4s(those.map(({ shape }) => names.id(shape))),
    float8s(those.map(time)),
    float8s(those.map(({ received }) => received)),
    int4s(those.map(({ bytes }) => bytes)),
  ];
}

function texted(those: readonly SourceDelivery[]): Buffer[] {
  return [
    texts(those.map(({ reason }) => reason)),
    texts(those.map(({ history }) => JSON.stringify(history))),
    texts(those.map(({ task }) => task)),
    texts(those.map(({ line }) => line)),
  ];
}

function digest(text: string, data?: Uint8Array): string {
  return hash('sha256', text) + (data === undefined ? '' : hash('sha256', data));
}
