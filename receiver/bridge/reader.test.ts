import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createMemoryLog } from '../deliver/testing.ts';
import { buildRuntime, type RunningBridge } from '../routing/runtime.ts';
import { bridgeEntry, ojsSource } from '../routing/testing.ts';
import type { WriteEvents } from './entrance.ts';
import { createReader, type ReaderParts } from './reader.ts';
import { BACKEND } from './testing.ts';
import type { TransportListener } from './transport.ts';

const bridge = buildRuntime({
  version: 1,
  revision: 1,
  entries: [bridgeEntry(BACKEND, { source: ojsSource(BACKEND, { enrich: false }) })],
}).bridges.get('jobs/results') as RunningBridge;

/** A reader whose transport is in the test's hands. */
function read(over: Partial<ReaderParts>) {
  let heard: TransportListener | undefined;
  const written: string[] = [];
  const { promise: wroteOne, resolve } = Promise.withResolvers<void>();
  const write: WriteEvents = (_bridge, events, _rows, done) => {
    written.push(...events.map(({ id }) => id));
    done({ events: events.length, duplicates: 0, differing: 0 });
    if (events.length > 0) resolve();
  };
  const reader = createReader({
    bridge,
    transport(_parts, listener) {
      heard = listener;
      return { pause: () => undefined, resume: () => undefined, close: () => undefined };
    },
    place: { version: 0, position: undefined },
    client: {
      read: (_, done) => done(undefined, { code: 'NoAnswer', message: 'nobody is there' }),
      stream() {
        throw new Error('the transports of tests open nothing');
      },
    },
    write,
    counted: () => undefined,
    lost: () => undefined,
    now: () => 0,
    random: () => 0.5,
    randomBytes,
    setTimer(work, ms) {
      // What is done every minute is not of interest.
      const timer = ms < 10_000 ? setImmediate(work) : undefined;
      return () => clearImmediate(timer);
    },
    log: createMemoryLog(),
    ...over,
  });
  if (heard === undefined) throw new Error('it has not connected');
  return { reader, heard, written, wroteOne };
}

const message = (id: string): Buffer =>
  Buffer.from(`{"specversion":"1.0","type":"job.progress","id":"${id}"}`);

it('a message at which the receiver stumbles is passed over, and what follows is written', async () => {
  const { reader, heard, written, wroteOne } = read({
    bridge: {
      ...bridge,
      wanted(reading) {
        if (reading.id === '1') throw new TypeError('no filter takes it');
        return true;
      },
      outgoing(reading) {
        if (reading.id === '2') throw new TypeError('no event is made of it');
        return bridge.outgoing(reading);
      },
    },
  });
  heard.reads({ transport: 'Poll', replay: 'cursor' });
  for (const id of ['1', '2', '3']) heard.message(message(id));
  await wroteOne;
  expect(written).toEqual(['3']);
  expect(reader.status).toMatchObject({
    state: 'Reading',
    lastBroken: 'no event is made of it',
    counts: { messages: 3, broken: 2 },
  });
  reader.stop();
});

it('a reconciliation at which the receiver stumbles is told, and the next one may do better', async () => {
  let asked = 0;
  const { reader, heard } = read({
    client: {
      read(_, done) {
        asked += 1;
        if (asked === 1) throw new TypeError('no address is made of it');
        const body = Buffer.from('{"items":[],"pagination":{"total":0}}');
        done({ status: 200, headers: {}, body }, undefined);
      },
      stream() {
        throw new Error('the transports of tests open nothing');
      },
    },
  });
  heard.reads({ transport: 'SSE', replay: 'none' });
  await expect
    .poll(() => reader.status.lossless)
    .toEqual({
      status: 'False',
      reason: 'ReconcileFailed',
      message: 'after the last gap: no address is made of it',
    });
  heard.reads({ transport: 'SSE', replay: 'none' });
  await expect.poll(() => reader.status.lossless?.reason).toBe('Reconciled');
  reader.stop();
});
