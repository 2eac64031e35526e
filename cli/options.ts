import { parseArgs } from 'node:util';
import { nearest } from '../crds/nearest.ts';
import { UsageError } from './exit-codes.ts';

/** One option of a command, as it is parsed and as the help shows it. */
export interface Option {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in the help (`PATH`); left out: a flag without a value. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

/** What a call holds. Asking for a name that the command does not declare is a defect and throws. */
export interface Parsed {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  readonly positionals: readonly string[];
}

const HELP: Option = { name: 'help', short: 'h', help: 'Show this help.' };

/** The options of a command, `--help` among them. */
export function withHelp(options: readonly Option[]): readonly Option[] {
  return [...options, HELP];
}

/** Reads a command's arguments. Throws UsageError, which names the option and suggests the nearest known one. */
export function parseOptions(args: readonly string[], options: readonly Option[]): Parsed {
  const byName = new Map(options.map((option) => [option.name, option]));
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(options.map((option) => [option.name, parseArgsOption(option)])),
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = byName.get(token.name);
    if (option === undefined) throw unknownOption(token.rawName, options);
    const value = checkedValue(option, token.rawName, token.value, token.inlineValue === true);
    const given = values.get(option.name) ?? [];
    if (given.length > 0 && option.value !== undefined && option.multiple !== true) {
      throw new UsageError(`${token.rawName} is given twice; give it once.`);
    }
    values.set(option.name, [...given, value]);
  }
  const declared = (name: string): readonly string[] => {
    if (!byName.has(name)) throw new Error(`option --${name} is not declared`);
    return values.get(name) ?? [];
  };
  return {
    flag: (name) => declared(name).length > 0,
    text: (name) => declared(name)[0],
    list: declared,
    positionals,
  };
}

function parseArgsOption(option: Option): { type: 'string' | 'boolean'; multiple: true; short?: string } {
  const type = option.value === undefined ? 'boolean' : 'string';
  return option.short === undefined
    ? { type, multiple: true }
    : { type, multiple: true, short: option.short };
}

function checkedValue(option: Option, rawName: string, value: string | undefined, inline: boolean): string {
  if (option.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value; write ${rawName} alone.`);
    return '';
  }
  // `--data --public …`: the next option was swallowed as a value. One that begins with a dash is written with `=`, but for
  // a number, which is no option.
  if (value === undefined || (!inline && /^-[^\d.]/.test(value))) {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}.`);
  }
  return value;
}

function unknownOption(rawName: string, options: readonly Option[]): UsageError {
  const meant = rawName.startsWith('--')
    ? nearest(
        rawName.slice(2),
        options.map((option) => option.name),
      )
    : undefined;
  return new UsageError(
    meant === undefined
      ? `There is no option ${rawName}.`
      : `There is no option ${rawName}; did you mean --${meant}?`,
  );
}
