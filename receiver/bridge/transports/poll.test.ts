import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { createClient } from '../../deliver/client.ts';
import { systemTimer } from '../../deliver/outbound.ts';
import { startTarget } from '../../deliver/testing.ts';
import { ojsSource } from '../../routing/testing.ts';
import type { Ended } from '../transport.ts';
import { poll } from './poll.ts';

/** A backend that begins a page and never ends it, and what asks it; its timers are fired by the test. */
async function setUp() {
  const closed = Promise.withResolvers<void>();
  const target = await startTarget((response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"events":[');
    void once(response, 'close').then(() => closed.resolve());
  });
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });
  const timers = new Map<() => void, number>();
  const ended = Promise.withResolvers<Ended>();
  const connection = poll(
    {
      source: ojsSource(target.url),
      client,
      setTimer(work, ms) {
        timers.set(work, ms);
        return () => timers.delete(work);
      },
      randomBytes,
      cursor: undefined,
    },
    {
      reads: () => undefined,
      message: () => undefined,
      page: () => undefined,
      broken: () => undefined,
      ended: ended.resolve,
    },
  );
  await target.got(1);
  return {
    connection,
    timers,
    ended: ended.promise,
    /** The page is not read any more. */
    closed: closed.promise,
    async [Symbol.asyncDispose]() {
      await client.close();
      await target[Symbol.asyncDispose]();
    },
  };
}

it('a page that does not end is given up after a time, however lively it is', async () => {
  await using stage = await setUp();
  expect([...stage.timers.values()]).toEqual([120_000]);
  for (const work of stage.timers.keys()) work();
  expect(await stage.ended).toEqual({
    cause: '/ojs/v1/events has a page that took longer than 120 s',
    missing: false,
  });
  await stage.closed;
});

it('a page that is under way is read no further once nobody wants it', async () => {
  await using stage = await setUp();
  stage.connection.close();
  expect(stage.timers.size).toBe(0);
  await stage.closed;
});
