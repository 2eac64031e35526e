import { describe, expect, it } from 'vitest';
import { BEAT_MS, createWatch } from './sessions.ts';

describe('watching other sessions', () => {
  /** What each look finds, one every beat. */
  function looks(...beats: readonly (readonly string[])[]): string[][] {
    const watch = createWatch();
    return beats.map((sessions, i) =>
      watch
        .look(
          sessions.map((beat, id) => ({ id: String(id), beat })),
          i * BEAT_MS,
        )
        .map(({ id, beat }) => `${id} at ${beat}`),
    );
  }

  it('finds one that has stood still for six seconds, and none that moves', () => {
    expect(looks(['1', '1'], ['1', '2'], ['1', '3'], ['1', '4'])).toEqual([[], [], [], ['0 at 1']]);
    expect(looks(['1'], ['1'], ['1'], ['2'], ['2'], ['2'])).toEqual([[], [], [], [], [], []]);
  });

  it('begins anew after it stood still itself, or the database was away', () => {
    const watch = createWatch();
    const session = [{ id: '7', beat: '1' }];
    expect(watch.look(session, 0)).toEqual([]);
    expect(watch.look(session, 60_000)).toEqual([]);
    for (let at = 62_000; at < 66_000; at += BEAT_MS) expect(watch.look(session, at)).toEqual([]);
    expect(watch.look(session, 66_000)).toEqual(session);
  });
});
