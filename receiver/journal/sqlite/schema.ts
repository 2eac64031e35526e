/**
 * The tables. Ids grow with time everywhere, so that what is written together lies together:
 * - `event`: `head` is the attributes' JSON followed by the record's, `data` comes last so that lists never read it
 * - `waiting`: deliveries still to be made; `holder` 1: in this process's memory; `due` is indexed where nobody holds
 * - `done`: delivered and dead ones
 * - `seen`: dedup keys in order of arrival, one row per transaction (see seen-index.ts); `run`, `chunk`: older keys, sorted
 * - `sequence`: the highest ids that pruning has removed, so that none is given twice
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

/** The statements that lead from each version of the schema to the next; the first makes an empty file version 1. */
export const MIGRATIONS: readonly string[] = [FIRST];
