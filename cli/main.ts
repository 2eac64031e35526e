import { nearest } from '../crds/nearest.ts';
import { commandHelp, type Terminal } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { CommandError, EXIT, type ExitCode, UsageError } from './exit-codes.ts';
import { parseOptions, withHelp } from './options.ts';

/** Runs one call of the command line and answers its exit code. Throws only on a defect. */
export async function main(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help')
    return help(rest, terminal);
  if (name === '--version' || name === '-v') return version(terminal);
  const entry = COMMANDS.get(name);
  if (entry === undefined) {
    const meant = nearest(name, COMMANDS.keys());
    const what = name.startsWith('-') ? 'The first word is the command' : `There is no command ${name}`;
    terminal.err(
      `${what}${meant === undefined ? '' : `; did you mean ${meant}`}${meant === undefined ? '.' : '?'}`,
    );
    terminal.err('signalbox --help lists the commands.');
    return EXIT.usage;
  }
  const command = await entry.load();
  try {
    const parsed = parseOptions(rest, withHelp(command.options));
    if (parsed.flag('help')) {
      terminal.out(commandHelp(command));
      return EXIT.ok;
    }
    return await command.run(parsed, terminal);
  } catch (error) {
    return told(error, name, terminal);
  }
}

function told(error: unknown, name: string, terminal: Terminal): ExitCode {
  if (error instanceof UsageError) {
    terminal.err(error.message);
    terminal.err(`signalbox ${name} --help lists the options.`);
    return EXIT.usage;
  }
  if (error instanceof CommandError) {
    terminal.err(error.message);
    return error.exitCode;
  }
  throw error;
}

async function help(rest: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const entry = COMMANDS.get(rest[0] ?? '');
  terminal.out(entry === undefined ? overview() : commandHelp(await entry.load()));
  return EXIT.ok;
}

async function version(terminal: Terminal): Promise<ExitCode> {
  const { default: made } = await import('../package.json', { with: { type: 'json' } });
  terminal.out(`signalbox ${made.version}`);
  return EXIT.ok;
}

function overview(): string {
  const width = Math.max(...[...COMMANDS.keys()].map((name) => name.length));
  return [
    'Signalbox turns events into work: a signed webhook starts a job, wakes what sleeps, or goes on to a sink,',
    'verified, once, never lost.',
    '',
    'Usage: signalbox COMMAND [options]',
    '',
    'Commands:',
    ...[...COMMANDS].map(([name, entry]) => `  ${name.padEnd(width)}  ${entry.summary}`),
    '',
    'signalbox COMMAND --help tells more about one of them, signalbox --version which one this is.',
    '',
    'Exit codes: 0 done, 1 failed, 2 called wrongly, 3 the other side could not be reached.',
  ].join('\n');
}
