import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { BatchReader } from './batch-reader.ts';
import type { Names } from './names.ts';
import type { ReplyWriter } from './reply.ts';
import type { SeenIndex } from './seen-index.ts';
import type { Shapes } from './shapes.ts';
import type { Tally } from './tally.ts';
import { DELIVERY_BYTES, FINGERPRINT_BYTES, KEY_BYTES, STATE, UNIT_FLAG } from './wire.ts';

export interface UnitParts {
  readonly names: Names;
  readonly seen: SeenIndex;
  readonly shapes: Shapes;
  readonly tally: Tally;
  readonly reply: ReplyWriter;
}

/** Makes the function that executes one unit, read from where the reader stands, and writes its outcome. */
export function createUnitWriter(db: DatabaseSync, { names, seen, shapes, tally, reply }: UnitParts) {
  const insertEvent = db.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const insertDelivery = db.prepare('INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, NULL)');

  function deliveries(reader: BatchReader, event: number): number {
    const count = reader.u32();
    for (let i = 0; i < count; i++) {
      const trigger = names.id(reader.u32());
      const shape = names.id(reader.u32());
      shapes.use(shape);
      const due = reader.f64();
      const held = reader.u8();
      const parked = reader.u32();
      const state = parked === 0 ? STATE.waiting : STATE.parked;
      const reason = parked === 0 ? null : names.told(parked - 1);
      insertDelivery.run(++tally.delivery, event, trigger, shape, state, due, held, reason);
    }
    tally.backlog += count;
    return count;
  }

  return (reader: BatchReader): void => {
    const flags = reader.u8();
    const received = reader.f64();
    const entrance = reader.u32();
    const key = reader.at;
    let expires = 0;
    if ((flags & UNIT_FLAG.unseen) !== 0) {
      reader.at += KEY_BYTES + FINGERPRINT_BYTES;
      expires = reader.f64();
    }
    const attributes = reader.u32();
    const record = reader.u32();
    const data = reader.u32();
    const answerLength = reader.u32();
    const start = reader.at;
    reader.at += attributes + record + data;
    const answer = reader.slice(answerLength);

    if ((flags & UNIT_FLAG.unseen) !== 0) {
      const earlier = seen.find(reader.bytes, key, received);
      if (earlier !== undefined) {
        reply.seen(differs(reader.bytes, key + KEY_BYTES, earlier.fingerprint), earlier.answer);
        const deliveriesPassed = reader.u32();
        reader.at += deliveriesPassed * DELIVERY_BYTES;
        return;
      }
      if ((flags & UNIT_FLAG.occupy) !== 0) seen.add(reader.bytes, key, { expires, now: received, answer });
    }

    const event = ++tally.event;
    const first = tally.delivery + 1;
    const count = deliveries(reader, event);
    const split = start + attributes + record;
    insertEvent.run(
      event,
      received,
      names.id(entrance),
      first,
      count,
      attributes,
      crc32(reader.bytes.subarray(start, split + data)),
      reader.bytes.subarray(start, split),
      (flags & UNIT_FLAG.data) === 0 ? null : reader.bytes.subarray(split, split + data),
    );
    reply.committed(event, first, count);
  };
}

function differs(bytes: Uint8Array, at: number, fingerprint: Uint8Array): boolean {
  for (let i = 0; i < FINGERPRINT_BYTES; i++) if (bytes[at + i] !== fingerprint[i]) return true;
  return false;
}
