import { describe, expect, it } from 'vitest';
import { BOUND_OPTIONS, boundsOf } from './bounds.ts';
import { parseOptions } from './options.ts';

const bounds = (...args: readonly string[]) => boundsOf(parseOptions(args, BOUND_OPTIONS));

describe('the bounds of a receiver', () => {
  it('are the defaults where nothing is said', () => {
    expect(bounds()).toEqual({ maxBacklog: 5_000_000, journal: { retention: {} } });
  });

  it('are read from the options', () => {
    expect(
      bounds(
        '--max-backlog',
        '10',
        '--max-journal',
        '2Gi',
        '--keep-dead',
        '90d',
        '--keep-unmatched',
        '1h30m',
      ),
    ).toEqual({
      maxBacklog: 10,
      journal: { maxBytes: 2 ** 31, retention: { dead: 90 * 86_400_000, unmatched: 5_400_000 } },
    });
  });

  it.each([
    [['--max-backlog', '0'], '--max-backlog 0 is no number'],
    [['--max-journal', 'much'], '--max-journal much is no size'],
    [['--keep-delivered', 'long'], '--keep-delivered long is no time; write one such as 30m, 12h or 7d'],
  ])('that make no sense are refused: %s', (args, message) => {
    expect(() => bounds(...args)).toThrow(message);
  });
});
