import type { DatabaseSync } from 'node:sqlite';
import { migrate, number } from './database.ts';
import { BEHIND } from './lines.ts';
import { eachEntry } from './seen-log.ts';
import { journalError } from './sqlite-error.ts';
import { type EventColumns, intact } from './stored-event.ts';

/** One thing that is wrong with a journal. */
export interface Finding {
  readonly what: 'file' | 'event' | 'delivery' | 'key' | 'row' | 'body';
  /** The number of the event, the delivery, the row or the body. */
  readonly id?: number;
  readonly message: string;
}

/** What a journal holds, and what is wrong with it. */
export interface Verified {
  readonly events: number;
  /** Deliveries that wait or are parked. */
  readonly undone: number;
  readonly dead: number;
  readonly keys: number;
  readonly rows: number;
  readonly findings: readonly Finding[];
}

/** More of one sort are not listed. */
const LISTED = 100;
const EVERY = 1000;

/** What is wrong where a query finds an id. */
const RULES: readonly (readonly [Finding['what'], string, string])[] = [
  [
    'delivery',
    `SELECT id FROM waiting WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.id = waiting.event)
     UNION ALL SELECT id FROM done WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.id = done.event)`,
    'its event is missing',
  ],
  ['delivery', 'SELECT id FROM waiting JOIN done USING (id)', 'is undone and done at once'],
  [
    'delivery',
    `SELECT max(id) AS id FROM waiting WHERE line IS NOT NULL AND state = 0 GROUP BY trigger, line HAVING count(*) > 1`,
    'is given out beside another of its line',
  ],
  [
    'delivery',
    `SELECT id FROM waiting WHERE state NOT IN (0, 1, ${BEHIND}) UNION ALL SELECT id FROM done WHERE state NOT IN (2, 3)`,
    'is in a state that there is not',
  ],
  [
    'event',
    `SELECT id FROM event AS e WHERE deliveries <>
      (SELECT count(*) FROM waiting WHERE id >= e.first AND id < e.first + e.deliveries) +
      (SELECT count(*) FROM done WHERE id >= e.first AND id < e.first + e.deliveries)`,
    'has not as many deliveries as it says',
  ],
  [
    'row',
    `SELECT min(id) AS id FROM (SELECT kind, owner, status, count(*) AS count, min(id) AS id FROM row GROUP BY 1, 2, 3) AS r
     WHERE NOT EXISTS (SELECT 1 FROM row_count AS c WHERE c.kind = r.kind AND c.owner = r.owner AND c.status = r.status
       AND c.count = r.count) GROUP BY kind`,
    'its kind is not counted right',
  ],
  [
    'row',
    'SELECT id FROM row WHERE apart IS NOT NULL AND NOT EXISTS (SELECT 1 FROM body WHERE body.id = row.apart)',
    'has lost its body',
  ],
  [
    'row',
    'SELECT id FROM row WHERE later IS NOT NULL AND (due IS NULL OR later BETWEEN 1 AND due)',
    'would be due too late',
  ],
  [
    'body',
    'SELECT id FROM body WHERE id NOT IN (SELECT apart FROM row WHERE apart IS NOT NULL)',
    'belongs to no row',
  ],
];

/**
 * Looks at everything in a database, which it brings to the current version if it is sound. `progress` hears how many events
 * were looked at.
 */
export function verify(
  db: DatabaseSync,
  version: number,
  progress: (events: number, of: number) => void,
): Verified {
  const broken = fileFindings(db);
  // A broken tree answers anything: what it is asked then would only confuse.
  if (broken.length > 0) return { events: 0, undone: 0, dead: 0, keys: 0, rows: 0, findings: broken };
  migrate(db, version);
  const findings: Finding[] = [];
  const events = number(db, 'SELECT count(*) FROM event');
  findings.push(...damagedEvents(db, (looked) => progress(looked, events)));
  for (const [what, query, message] of RULES) {
    for (const { id } of db.prepare(`${query} LIMIT ${LISTED}`).all() as { id: number }[])
      findings.push({ what, id, message: `${what} ${id} ${message}` });
  }
  return {
    events,
    undone: number(db, 'SELECT count(*) FROM waiting'),
    dead: number(db, 'SELECT count(*) FROM done WHERE state = 3'),
    keys: countKeys(db, findings),
    rows: number(db, 'SELECT count(*) FROM row'),
    findings,
  };
}

/** What SQLite itself finds wrong with the file. */
function fileFindings(db: DatabaseSync): Finding[] {
  const finding = (text: string): Finding => ({ what: 'file', message: `the file is damaged: ${text}` });
  try {
    const rows = db.prepare(`PRAGMA integrity_check(${LISTED})`).all() as { integrity_check: string }[];
    return rows.flatMap(({ integrity_check: text }) => (text === 'ok' ? [] : [finding(text)]));
  } catch (error) {
    if (journalError(error, '').code !== 'JournalCorrupt') throw error;
    return [finding(error instanceof Error ? error.message : String(error))];
  }
}

function damagedEvents(db: DatabaseSync, progress: (looked: number) => void): Finding[] {
  const findings: Finding[] = [];
  let looked = 0;
  for (const each of db.prepare('SELECT id, attributes, crc, head, data FROM event ORDER BY id').iterate()) {
    const event = each as unknown as EventColumns & { id: number };
    if (++looked % EVERY === 0) progress(looked);
    if (intact(event) || findings.length === LISTED) continue;
    findings.push({
      what: 'event',
      id: event.id,
      message: `event ${event.id} is damaged: its checksum does not fit`,
    });
  }
  return findings;
}

function countKeys(db: DatabaseSync, findings: Finding[]): number {
  let keys = 0;
  for (const each of db.prepare('SELECT id, body FROM seen ORDER BY id').iterate()) {
    const { id, body } = each as { id: number; body: Uint8Array };
    try {
      eachEntry(body, () => keys++);
    } catch {
      findings.push({ what: 'key', message: `row ${id} of the dedup keys is cut off` });
    }
  }
  return keys;
}
