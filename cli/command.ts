import { EXIT, type ExitCode } from './exit-codes.ts';
import { type Option, type Parsed, withHelp } from './options.ts';

/** What a command may touch of the world; tests hand in their own. */
export interface Terminal {
  /** Writes one line (or several) to standard output. */
  out(text: string): void;
  /** Writes one line (or several) to standard error. */
  err(text: string): void;
  /** Shows how far something is, in the place of what it showed before; left out where nobody watches. */
  progress?(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the process is asked to stop (SIGINT, SIGTERM). */
  readonly stop: AbortSignal;
}

/** One subcommand: its help and what it does. */
export interface Command {
  /** After `signalbox `: `run -f PATH… [options]`. One line per way to call it. */
  readonly usage: readonly string[];
  /** What it is for, in a few sentences of at most 100 characters a line. */
  readonly about: string;
  readonly options: readonly Option[];
  readonly examples: readonly string[];
  /** What each exit code means here. */
  readonly exits: Readonly<Partial<Record<ExitCode, string>>>;
  run(parsed: Parsed, terminal: Terminal): Promise<ExitCode>;
}

/** The text of `signalbox COMMAND --help`. */
export function commandHelp(command: Command): string {
  const options = withHelp(command.options).map((option) => [optionTerm(option), option.help] as const);
  const width = Math.max(...options.map(([term]) => term.length));
  const lines = [
    ...command.usage.map((usage, i) => `${i === 0 ? 'Usage:' : '      '} signalbox ${usage}`),
    '',
    command.about,
    '',
    'Options:',
    ...options.map(
      ([term, help]) => `  ${term.padEnd(width)}  ${help.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`,
    ),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
    'Exit codes:',
    ...Object.values(EXIT)
      .filter((code) => command.exits[code] !== undefined)
      .map((code) => `  ${code}  ${command.exits[code] ?? ''}`),
  ];
  return lines.join('\n');
}

function optionTerm(option: Option): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  return `${short}--${option.name}${option.value === undefined ? '' : ` ${option.value}`}`;
}
