import { describe, expect, it } from 'vitest';
import { UsageError } from './exit-codes.ts';
import { type Option, parseOptions, withHelp } from './options.ts';

const OPTIONS: readonly Option[] = withHelp([
  { name: 'file', short: 'f', value: 'PATH', multiple: true, help: '' },
  { name: 'data', value: 'DIR', help: '' },
  { name: 'public-url', value: 'URL', help: '' },
  { name: 'quiet', help: '' },
]);

function failure(...args: string[]): string {
  try {
    parseOptions(args, OPTIONS);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return 'parsed';
}

describe('parseOptions', () => {
  it('reads flags, values, lists and the rest', () => {
    const parsed = parseOptions(
      ['-f', 'a.yaml', 'b.yaml', '--file=c.yaml', '--data', 'd', '--quiet'],
      OPTIONS,
    );
    expect(parsed.list('file')).toEqual(['a.yaml', 'c.yaml']);
    expect(parsed.positionals).toEqual(['b.yaml']);
    expect(parsed.text('data')).toBe('d');
    expect(parsed.flag('quiet')).toBe(true);
    expect(parsed.flag('help')).toBe(false);
    expect(parsed.text('public-url')).toBeUndefined();
  });

  it('takes a value that begins with a dash only behind an equals sign, a lone dash and a number anywhere', () => {
    expect(failure('--data', '--quiet')).toBe('--data needs a value: --data DIR.');
    expect(parseOptions(['--data=-x'], OPTIONS).text('data')).toBe('-x');
    expect(parseOptions(['--data', '-'], OPTIONS).text('data')).toBe('-');
    expect(parseOptions(['--data', '-1'], OPTIONS).text('data')).toBe('-1');
  });

  it('names the option and the nearest known one', () => {
    expect(failure('--publicurl', 'x')).toBe('There is no option --publicurl; did you mean --public-url?');
    expect(failure('-x')).toBe('There is no option -x.');
    expect(failure('--data')).toBe('--data needs a value: --data DIR.');
    expect(failure('--data', 'a', '--data', 'b')).toBe('--data is given twice; give it once.');
    expect(failure('--quiet=yes')).toBe('--quiet takes no value; write --quiet alone.');
  });
});
