/**
 * The tables. Ids grow with time everywhere, so that what is written together lies together:
 * - `event`: `head` is the attributes' JSON followed by the record's, `data` comes last so that lists never read it
 * - `waiting`: deliveries still to be made; `holder` 1: in this process's memory; `due` is indexed where nobody holds, also by
 *   trigger: so a trigger's share of a claim is found, however many the others have
 * - `done`: delivered and dead ones
 * - `seen`: dedup keys in order of arrival, one row per transaction (see seen-index.ts); `run`, `chunk`: older keys, sorted
 * - `waiting.line`: one of a line is given out at a time; those behind it have a state of their own (see lines.ts)
 * - `row`: what units change by compare-and-set; `later`: it is due after `due` (see due-rows.ts); `row_count`: how many rows a
 *   kind, an owner and a status have in common
 * - `body`: the long bodies of rows, in the order in which they were written (see row-body.ts)
 * - `id_block`: hashes of the events' ids (see id-index.ts)
 * - `sequence`: the highest ids that pruning has removed, so that none is given twice; how much history there is
 */
const FIRST = `
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE shape (name INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE event (
  id INTEGER PRIMARY KEY, received INTEGER, entrance INTEGER, first INTEGER, deliveries INTEGER,
  attributes INTEGER, crc INTEGER, head BLOB, data BLOB
) STRICT;
CREATE TABLE waiting (
  id INTEGER PRIMARY KEY, event INTEGER, trigger INTEGER, shape INTEGER, state INTEGER, due INTEGER,
  holder INTEGER, attempts INTEGER, reason TEXT, history BLOB
) STRICT;
CREATE INDEX waiting_due ON waiting (due) WHERE state = 0 AND holder = 0;
CREATE INDEX waiting_parked ON waiting (trigger) WHERE state = 1;
CREATE TABLE done (
  id INTEGER PRIMARY KEY, event INTEGER, trigger INTEGER, shape INTEGER, state INTEGER, at INTEGER,
  reason TEXT, history BLOB
) STRICT;
CREATE INDEX done_dead ON done (state) WHERE state = 3;
CREATE TABLE seen (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE run (
  id INTEGER PRIMARY KEY, window INTEGER, first INTEGER, last INTEGER, expires INTEGER, filter BLOB
) STRICT;
CREATE TABLE chunk (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE sequence (id INTEGER PRIMARY KEY CHECK (id = 1), event INTEGER, delivery INTEGER) STRICT;
INSERT INTO sequence VALUES (1, 0, 0);
`;

const ROWS_AND_LINES = `
ALTER TABLE waiting ADD COLUMN task TEXT;
ALTER TABLE waiting ADD COLUMN line TEXT;
ALTER TABLE done ADD COLUMN task TEXT;
ALTER TABLE done ADD COLUMN line TEXT;
CREATE INDEX waiting_line ON waiting (trigger, line, state) WHERE line IS NOT NULL;
ALTER TABLE run DROP COLUMN filter;
ALTER TABLE sequence ADD COLUMN matched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sequence ADD COLUMN matched_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sequence ADD COLUMN unmatched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sequence ADD COLUMN unmatched_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sequence ADD COLUMN dead_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE sequence SET
  matched = (SELECT count(*) FROM event WHERE deliveries > 0),
  matched_bytes = (SELECT coalesce(sum(length(head) + coalesce(length(data), 0)), 0) FROM event WHERE deliveries > 0),
  unmatched = (SELECT count(*) FROM event WHERE deliveries = 0),
  unmatched_bytes = (SELECT coalesce(sum(length(head) + coalesce(length(data), 0)), 0) FROM event WHERE deliveries = 0),
  dead_bytes = (SELECT coalesce(sum(length(head) + coalesce(length(data), 0)), 0)
    FROM done JOIN event ON event.id = done.event WHERE state = 3);
CREATE TABLE id_block (block INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
CREATE TABLE row (
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, owner INTEGER NOT NULL,
  status INTEGER NOT NULL, due INTEGER, expires INTEGER, created INTEGER NOT NULL, changed INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX row_key ON row (kind, key);
CREATE INDEX row_kind ON row (kind);
CREATE INDEX row_owner ON row (kind, owner);
CREATE INDEX row_status ON row (kind, status);
CREATE INDEX row_due ON row (kind, due) WHERE due IS NOT NULL;
CREATE INDEX row_expires ON row (expires) WHERE expires IS NOT NULL;
CREATE TABLE row_count (
  kind INTEGER, owner INTEGER, status INTEGER, count INTEGER NOT NULL, PRIMARY KEY (kind, owner, status)
) STRICT, WITHOUT ROWID;
`;

const TURNS = `
CREATE INDEX waiting_turn ON waiting (trigger, due) WHERE state = 0 AND holder = 0;
`;

/** What was written before keeps its body in its row until it changes. */
const BODIES_APART = `
CREATE TABLE body (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
ALTER TABLE row ADD COLUMN apart INTEGER;
DROP INDEX row_status;
`;

const DUE_LATER = `
ALTER TABLE row ADD COLUMN later INTEGER;
`;

/**
 * The statements that lead from each version of the schema to the next; the first makes an empty file version 1. What a
 * released version made is never edited.
 */
export const MIGRATIONS: readonly string[] = [FIRST, ROWS_AND_LINES, TURNS, BODIES_APART, DUE_LATER];
