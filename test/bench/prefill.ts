import { randomBytes, randomFillSync } from 'node:crypto';
import { openDatabase } from '../../receiver/journal/sqlite/database.ts';
import { openSeenIndex } from '../../receiver/journal/sqlite/seen-index.ts';
import { openSqliteJournal } from '../../receiver/journal/sqlite/sqlite-journal.ts';

/** When what is put into a journal came, and how long its dedup keys count. */
export interface Past {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly windowMs: number;
}

const KEYS_AT_ONCE = 1024;
const UNITS_AT_ONCE = 512;
const CALLS_IN_FLIGHT = 8;

/** Puts random keys straight into the dedup index, as they would have come in the hours before. */
export function prefillKeys(directory: string, count: number, { at, windowMs }: Past): void {
  const db = openDatabase(directory);
  const seen = openSeenIndex(db);
  const entry = Buffer.alloc(32);
  const answer = Buffer.from('["shop/forward"]');
  const expires = at + windowMs;
  entry.writeDoubleLE(expires, 24);
  for (let i = 0; i < count; ) {
    db.exec('BEGIN');
    for (const end = Math.min(count, i + KEYS_AT_ONCE); i < end; i++) {
      randomFillSync(entry, 0, 24);
      seen.add(entry, 0, { expires, now: at, answer });
    }
    seen.write();
    db.exec('COMMIT');
    seen.committed();
    while (seen.ripe) {
      db.exec('BEGIN');
      seen.seal(0);
      db.exec('COMMIT');
      seen.committed();
    }
  }
  db.close();
}

/** Puts events into the journal, each with one delivery of `trigger` that is due at `due`. */
export async function prefillDeliveries(
  directory: string,
  count: number,
  { trigger, at, due }: { readonly trigger: string; readonly at: number; readonly due: number },
): Promise<void> {
  const journal = await openSqliteJournal({ directory });
  const shape = 'bench-backlog';
  journal.putShape(shape, JSON.stringify({ sink: { format: 'binary' } }));
  const attributes = JSON.stringify({ specversion: '1.0', id: 'b', source: '/bench', type: 'bench.backlog' });
  const record = JSON.stringify({ key: 'current', revision: 1, triggers: [trigger] });
  const event = {
    entrance: 'WebhookSecret/shop/hooks',
    receivedAt: at,
    attributes,
    data: randomBytes(64),
    record,
  };
  const unit = { event, deliveries: [{ trigger, shape, due, held: false }], answer: '[]' };
  await new Promise<void>((resolve, reject) => {
    let left = count;
    let inFlight = 0;
    function send(): void {
      const units = Math.min(left, UNITS_AT_ONCE);
      left -= units;
      inFlight += 1;
      journal.commit(
        Array.from({ length: units }, () => unit),
        (error) => {
          inFlight -= 1;
          if (error !== undefined) reject(error);
          else if (left > 0) send();
          else if (inFlight === 0) resolve();
        },
      );
    }
    for (let call = 0; call < CALLS_IN_FLIGHT && left > 0; call++) send();
  });
  await journal.close();
}
