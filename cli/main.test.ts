import { describe, expect, it } from 'vitest';
import { COMMANDS } from './commands/index.ts';
import { main } from './main.ts';
import { fakeTerminal } from './testing/terminal.ts';

describe('main', () => {
  it('lists every command and ends with 0', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      const terminal = fakeTerminal();
      expect(await main(args, terminal)).toBe(0);
      for (const name of COMMANDS.keys()) {
        expect(terminal.outLines.some((line) => line.startsWith(`  ${name} `))).toBe(true);
      }
    }
  });

  it.each([...COMMANDS.keys()])(
    '%s --help shows usage, every option, an example and exit codes',
    async (name) => {
      const terminal = fakeTerminal();
      expect(await main([name, '--help'], terminal)).toBe(0);
      const text = terminal.outLines.join('\n');
      expect(text).toMatch(new RegExp(`^Usage: signalbox ${name}`));
      const command = await COMMANDS.get(name)!.load();
      for (const option of command.options) expect(text).toContain(`--${option.name}`);
      expect(text).toContain('Examples:\n  signalbox ');
      expect(text).toContain('Exit codes:\n  0  ');
      expect(Math.max(...terminal.outLines.map((line) => line.length))).toBeLessThanOrEqual(130);
    },
  );

  it.each(['--version', '-v'])('%s tells the version and ends with 0', async (option) => {
    const terminal = fakeTerminal();
    expect(await main([option], terminal)).toBe(0);
    expect(terminal.outLines).toEqual([expect.stringMatching(/^signalbox \d+\.\d+\.\d+$/)]);
  });

  it('suggests the nearest command and ends with 2', async () => {
    const terminal = fakeTerminal();
    expect(await main(['lisen'], terminal)).toBe(2);
    expect(terminal.errLines[0]).toBe('There is no command lisen; did you mean listen?');
  });

  it('tells an option that is not there, and ends with 2', async () => {
    const terminal = fakeTerminal();
    expect(await main(['run', '--pubic', 'x'], terminal)).toBe(2);
    expect(terminal.errLines).toEqual([
      'There is no option --pubic; did you mean --public?',
      'signalbox run --help lists the options.',
    ]);
  });

  it.each([
    [['run'], 'run needs manifests; give a file or folder with -f.'],
    [
      ['run', '-f', 'a', '--public', 'here'],
      '--public here is no address; write host:port, for example 127.0.0.1:8080.',
    ],
    [
      ['run', '-f', 'a', '--public-url', 'hooks'],
      '--public-url hooks is no address; write it in full, for example https://hooks.example.com.',
    ],
    [
      ['run', '-f', 'a', '--resolve', 'x=y'],
      '--resolve x=y is not understood; write kind/namespace/name=URL, for example Service/shop/ojs=http://127.0.0.1:8585.',
    ],
    [
      ['run', '-f', 'a', '--log-level', 'loud'],
      '--log-level loud is not known; write one of debug, info, warn, error, silent.',
    ],
    [
      ['run', '-f', 'a', '--egress-deny', '10.0.0.0/8', '--egress-deny', '1.2.3'],
      '--egress-deny: "1.2.3" is no address range; write it like 10.0.0.0/8 or fd00::/8.',
    ],
    [
      ['run', '-f', 'a', '--max-backlog', '-1'],
      '--max-backlog -1 is no number of deliveries; write one such as 100000.',
    ],
    [['listen', '-o', 'xml'], '-o xml is no format; write -o text or -o json.'],
    [['listen', '--fail', 'many'], '--fail many is no count; write a whole number.'],
  ])('%j is told how to be written', async (args, message) => {
    const terminal = fakeTerminal();
    expect(await main(args, terminal)).toBe(2);
    expect(terminal.errLines[0]).toBe(message);
  });
});
