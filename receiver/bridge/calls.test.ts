import { describe, expect, it } from 'vitest';
import { bridgeEntry } from '../routing/testing.ts';
import { readCalls } from './calls.ts';
import { compileBridge } from './compile-bridge.ts';

const compiled = compileBridge(bridgeEntry('http://backend.example'));
if (!compiled.ok) throw new Error('the bridge does not compile');
const bridge = compiled.value;

const read = (body: string): readonly (string | undefined)[] =>
  readCalls(bridge, Buffer.from(body)).map(({ attributes }) => attributes['id']);

const events = (count: number): string =>
  Array.from({ length: count }, (_, i) => `{"type":"job.completed","id":"${i}"}`).join();

describe("a backend's call", () => {
  it.each([
    ['one event', '{"type":"job.completed","id":"0"}'],
    ['an array', '[{"type":"job.completed","id":"0"}]'],
    ['an array with white space around it', '\n [{"type":"job.completed","id":"0"}]\r\n'],
    ['an object with the events', ' {"events": [{"type":"job.completed","id":"0"}] }'],
  ])('brings %s', (_, body) => {
    expect(read(body)).toEqual(['0']);
  });

  it('brings nothing where something follows the array', () => {
    expect(() => read('[{"type":"job.completed"}] garbage')).toThrow(
      expect.objectContaining({
        status: 400,
        code: 'invalid_event',
        message: 'The call brings no event: something follows the JSON array.',
      }),
    );
  });

  it('brings a thousand events at most', () => {
    expect(read(`[${events(1000)}]`)).toHaveLength(1000);
    const tooMany = expect.objectContaining({
      status: 413,
      code: 'batch_too_large',
      message: 'A call brings at most 1000 events; send the rest in another.',
    });
    expect(() => read(`[${events(1001)}]`)).toThrow(tooMany);
    expect(() => read(`{"events":[${events(1001)}]}`)).toThrow(tooMany);
  });
});
