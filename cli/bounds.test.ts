import { describe, expect, it } from 'vitest';
import { BOUND_OPTIONS, boundsOf } from './bounds.ts';
import { JOURNAL_OPTIONS } from './journal-option.ts';
import { parseOptions } from './options.ts';

const bounds = (...args: readonly string[]) =>
  boundsOf(parseOptions(args, [...BOUND_OPTIONS, ...JOURNAL_OPTIONS]));

describe('the bounds of a receiver', () => {
  it('are the defaults where nothing is said', () => {
    expect(bounds()).toEqual({ maxBacklog: 5_000_000, rejected: {}, journal: { retention: {} } });
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
      rejected: {},
      journal: { maxBytes: 2 ** 31, retention: { dead: 90 * 86_400_000, unmatched: 5_400_000 } },
    });
  });

  it('say how long what was refused is kept and how much of it, also in a database', () => {
    const kept = ['--keep-rejected', '12h', '--most-rejected', '5000', '--most-rejected-size', '1Mi'];
    const { rejected } = bounds('--journal', 'postgres://u@localhost/d', ...kept);
    expect(rejected).toEqual({ keepMs: 43_200_000, most: 5000, mostBytes: 1 << 20 });
  });

  it('say how much of a kind is kept, in events, in bytes or both', () => {
    const { journal } = bounds(
      '--most-delivered',
      '1000',
      '--most-delivered-size',
      '1Gi',
      '--most-dead',
      '5',
    );
    expect(journal).toEqual({
      retention: {},
      limits: { delivered: { events: 1000, bytes: 2 ** 30 }, dead: { events: 5 } },
    });
  });

  it('do not count by kind in a database', () => {
    const args = ['--journal', 'postgres://u@localhost/d', '--most-dead-size', '1Gi'];
    expect(() => bounds(...args)).toThrow(
      '--most-dead is of the embedded journal; with --journal use --keep-dead or --max-journal',
    );
  });

  it.each([
    [['--max-backlog', '0'], '--max-backlog 0 is no number'],
    [['--max-journal', 'much'], '--max-journal much is no size'],
    [['--most-dead', 'few'], '--most-dead few is no number of events; write one such as 100000'],
    [['--most-unmatched-size', '0'], '--most-unmatched-size 0 is no size'],
    [['--keep-rejected', 'ever'], '--keep-rejected ever is no time; write one such as 30m, 12h or 7d'],
    [['--most-rejected', '0'], '--most-rejected 0 is no number of refusals'],
    [['--keep-delivered', 'long'], '--keep-delivered long is no time; write one such as 30m, 12h or 7d'],
  ])('that make no sense are refused: %s', (args, message) => {
    expect(() => bounds(...args)).toThrow(message);
  });
});
