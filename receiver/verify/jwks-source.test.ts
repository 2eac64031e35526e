import { describe, expect, test } from 'vitest';
import { createJwksSource, JwksUnavailable } from './jwks-source.ts';

const URI = 'https://issuer.example/jwks.json';
const DOCUMENT = '{"keys":[]}';
const TIMED_OUT = new Error('no answer within 5000 ms');

/** A source whose fetches end when a test says so, and whose clock it sets. */
function stage() {
  const fetches: PromiseWithResolvers<string>[] = [];
  let now = 0;
  const fetchJwks = () => {
    const fetch = Promise.withResolvers<string>();
    fetches.push(fetch);
    return fetch.promise;
  };
  const source = createJwksSource(fetchJwks, () => now);
  return {
    fetches,
    keys: () => source.keys(URI, now),
    wait: (ms: number) => {
      now += ms;
    },
  };
}

describe('the keys of an issuer that does not answer', () => {
  test('are waited for once; then the old ones serve while they are asked for beside', async () => {
    const { fetches, keys, wait } = stage();
    const first = keys();
    fetches[0]?.resolve(DOCUMENT);
    const old = await first;

    wait(600_000);
    const waiting = keys();
    wait(5000);
    fetches[1]?.reject(TIMED_OUT);
    expect(await waiting).toBe(old);
    expect(await keys()).toBe(old);
    expect(fetches).toHaveLength(2);

    wait(5000);
    expect(await keys()).toBe(old);
    expect(fetches).toHaveLength(3);
    wait(5000);
    fetches[2]?.reject(TIMED_OUT);
    await expect.poll(keys).toBe(old);

    wait(5000);
    expect(await keys()).toBe(old);
    expect(fetches).toHaveLength(4);
    fetches[3]?.resolve(DOCUMENT);
    await expect.poll(keys).not.toBe(old);
  });

  test('are waited for again after a time in which nobody asked', async () => {
    const { fetches, keys, wait } = stage();
    const first = keys();
    fetches[0]?.resolve(DOCUMENT);
    const old = await first;
    wait(600_000);
    const second = keys();
    fetches[1]?.reject(TIMED_OUT);
    expect(await second).toBe(old);

    wait(600_000);
    const third = keys();
    fetches[2]?.resolve(DOCUMENT);
    expect(await third).not.toBe(old);
  });

  test('are missing for five seconds from the end of the fetch where there are no old ones', async () => {
    const { fetches, keys, wait } = stage();
    const first = keys();
    wait(5000);
    fetches[0]?.reject(TIMED_OUT);
    await expect(first).rejects.toThrow(JwksUnavailable);
    wait(4999);
    await expect(keys()).rejects.toThrow("the issuer's keys could not be fetched: no answer within 5000 ms");
    expect(fetches).toHaveLength(1);
    wait(1);
    const next = keys();
    fetches[1]?.resolve(DOCUMENT);
    await next;
  });
});
