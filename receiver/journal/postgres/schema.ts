/**
 * The tables, in a schema of their own. An id says in which partition its row lies: the partition's number is its high
 * bits (see partitions.ts), so `event` and `done` are cut by id and yet by time, and retention drops tables.
 * - `session`: the receivers that are at work; `beat` grows while one lives
 * - `name`: triggers, shapes and entrances by number; `shape_in`: which partitions refer to a Shape, `shape_of`: which sessions
 * - `event`, `done` (delivered): history, by partition; `event_kept` and `ended`: what outlives its partition, since a
 *   delivery of the event is undone or dead. `ended` holds every dead one from the start
 * - `waiting`: deliveries still to be made; `holder`: the session that has it in memory, 0: nobody
 * - `line`: lines of deliveries, locked by whoever gives one's place to the next
 * - `state_row`: the rows that units change by compare-and-set; `id` grows with their making
 * - `seen`: dedup keys, by hash
 * - `id_block`, `id_block_kept`: hashes of events' ids, in the order of the events (see id-blocks.ts), cut and outlived as they
 *   are; `id_since`: the first partition in which they are noted
 * - `tally`: numbers that are kept and not counted; each session changes its own row, so none waits for another
 */
const FIRST = `
CREATE TABLE session (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, beat bigint NOT NULL DEFAULT 0,
  started timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE TABLE name (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL UNIQUE);
CREATE TABLE shape (name int PRIMARY KEY, body text NOT NULL);
CREATE TABLE shape_of (session bigint, shape int, PRIMARY KEY (session, shape));
CREATE TABLE shape_in (part int, shape int, PRIMARY KEY (part, shape));
CREATE SEQUENCE part_number MINVALUE 0;
CREATE TABLE part (
  id int PRIMARY KEY, opened float8 NOT NULL, until float8 NOT NULL, closed boolean NOT NULL DEFAULT false
);
CREATE TABLE event (
  id bigint PRIMARY KEY, received float8 NOT NULL, entrance int NOT NULL, first bigint NOT NULL, deliveries int NOT NULL,
  attributes text NOT NULL, record text NOT NULL, data bytea
) PARTITION BY RANGE (id);
ALTER TABLE event ALTER data SET STORAGE EXTERNAL;
CREATE TABLE event_kept (LIKE event INCLUDING ALL);
CREATE TABLE waiting (
  id bigint PRIMARY KEY, event bigint NOT NULL, trigger int NOT NULL, shape int NOT NULL, state smallint NOT NULL,
  due float8 NOT NULL, holder bigint NOT NULL, attempts int NOT NULL, received float8 NOT NULL, bytes int NOT NULL,
  reason text, history text[], task text, line text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0);
CREATE INDEX waiting_due ON waiting (due) WHERE state = 0 AND holder = 0;
CREATE INDEX waiting_parked ON waiting (trigger, id) WHERE state = 1;
CREATE INDEX waiting_line ON waiting (trigger, line, state, id) WHERE line IS NOT NULL;
CREATE TABLE line (trigger int, line text, PRIMARY KEY (trigger, line)) WITH (fillfactor = 50);
CREATE TABLE done (
  id bigint PRIMARY KEY, event bigint NOT NULL, trigger int NOT NULL, shape int NOT NULL, state smallint NOT NULL,
  at float8 NOT NULL, received float8 NOT NULL, bytes int NOT NULL, reason text, history text[], task text, line text
) PARTITION BY RANGE (id);
CREATE TABLE ended (LIKE done INCLUDING ALL);
CREATE INDEX ended_dead ON ended (id) WHERE state = 3;
CREATE TABLE seen (
  key uuid PRIMARY KEY, fingerprint bigint NOT NULL, expires float8 NOT NULL, answer text NOT NULL
) PARTITION BY HASH (key);
CREATE TABLE tally (
  slot bigint, kind text, owner text, status text, n bigint NOT NULL, PRIMARY KEY (slot, kind, owner, status)
) WITH (fillfactor = 50);
CREATE SEQUENCE state_row_id;
CREATE TABLE state_row (
  kind text COLLATE "C", key bytea, id bigint NOT NULL, version bigint NOT NULL, owner text NOT NULL, status text NOT NULL,
  due float8, expires float8, created float8 NOT NULL, changed float8 NOT NULL, body text NOT NULL, PRIMARY KEY (kind, key)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX state_row_due ON state_row (kind, due, id) WHERE due IS NOT NULL;
CREATE INDEX state_row_made ON state_row (kind, id);
CREATE INDEX state_row_owner ON state_row (kind, owner, id);
CREATE INDEX state_row_status ON state_row (kind, status, id);
CREATE INDEX state_row_expires ON state_row (expires) WHERE expires IS NOT NULL;
CREATE VIEW every_event AS SELECT * FROM event UNION ALL SELECT * FROM event_kept;
CREATE VIEW every_delivery AS
  SELECT id, event, trigger, state, CASE WHEN state = 0 THEN due END AS due, received, reason, history, task, line
    FROM waiting
  UNION ALL SELECT id, event, trigger, state, NULL, received, reason, history, task, line FROM done
  UNION ALL SELECT id, event, trigger, state, NULL, received, reason, history, task, line FROM ended;
`;

/** Parts of the table of dedup keys. */
export const SEEN_PARTS = 16;

const seenParts = Array.from(
  { length: SEEN_PARTS },
  (_, i) => `CREATE TABLE seen_${i} PARTITION OF seen FOR VALUES WITH (MODULUS ${SEEN_PARTS}, REMAINDER ${i})
    WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
  CREATE INDEX seen_${i}_expires ON seen_${i} (expires);`,
).join('\n');

const TURNS = `
CREATE INDEX waiting_turn ON waiting (trigger, due) WHERE state = 0 AND holder = 0;
`;

/**
 * What was there before, and what a receiver of the version before may still write while it is replaced, is not noted: that
 * ends with the partition after the present one.
 */
const IDS = `
CREATE TABLE id_block (first bigint PRIMARY KEY, hashes bytea NOT NULL) PARTITION BY RANGE (first);
ALTER TABLE id_block ALTER hashes SET STORAGE PLAIN;
CREATE TABLE id_block_kept (LIKE id_block INCLUDING ALL);
CREATE TABLE id_since AS SELECT coalesce(max(id) + 2, 0) AS part FROM part;
CREATE VIEW every_id_block AS SELECT * FROM id_block UNION ALL SELECT * FROM id_block_kept;
`;

/** The statements that lead from each version of the schema to the next; the first makes version 1. */
export const MIGRATIONS: readonly string[] = [FIRST + seenParts, TURNS, IDS];

export const SCHEMA = 'signalbox';

/** `waiting.state`, `done.state` and `ended.state`; told as `waiting` is also one that is behind another of its line. */
export const STATE = { waiting: 0, parked: 1, delivered: 2, dead: 3, behind: 4 } as const;
