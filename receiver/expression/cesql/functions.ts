import type { Budget } from '../budget.ts';
import { charactersOf, trimmed } from './characters.ts';
import { type ErrorKind, MAX_INTEGER, MIN_INTEGER, type Type, type Value } from './value.ts';

/** A built-in function (CESQL 1.0.0 section 3.5). */
export interface BuiltIn {
  /** Of the arguments, which are cast to them. */
  readonly takes: readonly Type[];
  /** Of any further arguments, where there may be some. */
  readonly rest?: Type;
  readonly returns: Type;
  /** Gets arguments of the types that it takes. */
  readonly run: (args: readonly Value[], budget: Budget) => Value | Complaint;
}

/** What is wrong with an argument, and what the function yields all the same. */
export class Complaint {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly value: Value;

  constructor(kind: ErrorKind, message: string, value: Value) {
    this.kind = kind;
    this.message = message;
    this.value = value;
  }
}

const identity = (args: readonly Value[]): Value => args[0] as Value;

function ofText(run: (text: string, budget: Budget) => Value): BuiltIn['run'] {
  return ([text], budget) => {
    budget.spend((text as string).length / 64);
    return run(text as string, budget);
  };
}

const LENGTH: BuiltIn = {
  takes: ['String'],
  returns: 'Integer',
  run: ofText((text, budget) => charactersOf(text, budget).length),
};

const CONCAT: BuiltIn = {
  takes: [],
  rest: 'String',
  returns: 'String',
  run: (args, budget) => joined(args, '', budget),
};

const CONCAT_WS: BuiltIn = {
  takes: ['String'],
  rest: 'String',
  returns: 'String',
  run: ([separator, ...texts], budget) => joined(texts, separator as string, budget),
};

/** Paid for by what is made: texts that grow from function to function would take the memory, not only the time. */
function joined(texts: readonly Value[], separator: string, budget: Budget): string {
  let length = 0;
  for (const text of texts) length += (text as string).length + separator.length;
  budget.spend(length / 64);
  return texts.join(separator);
}

const LOWER: BuiltIn = { takes: ['String'], returns: 'String', run: ofText((text) => text.toLowerCase()) };
const UPPER: BuiltIn = { takes: ['String'], returns: 'String', run: ofText((text) => text.toUpperCase()) };
const TRIM: BuiltIn = { takes: ['String'], returns: 'String', run: ofText(trimmed) };

const LEFT: BuiltIn = {
  takes: ['String', 'Integer'],
  returns: 'String',
  run: cutting((characters, count) => characters.slice(0, count)),
};

const RIGHT: BuiltIn = {
  takes: ['String', 'Integer'],
  returns: 'String',
  run: cutting((characters, count) => characters.slice(Math.max(0, characters.length - count))),
};

type Characters = ReturnType<typeof charactersOf>;

function cutting(cut: (characters: Characters, count: number) => Characters): BuiltIn['run'] {
  return ([given, count], budget) => {
    const text = given as string;
    if ((count as number) < 0)
      return new Complaint('functionEvaluation', `cannot take ${String(count)} characters`, text);
    budget.spend(text.length / 64);
    return textOf(cut(charactersOf(text, budget), count as number));
  };
}

function textOf(characters: Characters): string {
  return typeof characters === 'string' ? characters : characters.join('');
}

const SUBSTRING_FROM: BuiltIn = {
  takes: ['String', 'Integer'],
  returns: 'String',
  run: ([text, position], budget) => substring(text as string, position as number, MAX_INTEGER, budget),
};

const SUBSTRING: BuiltIn = {
  takes: ['String', 'Integer', 'Integer'],
  returns: 'String',
  run: ([text, position, length], budget) =>
    substring(text as string, position as number, length as number, budget),
};

function substring(text: string, position: number, length: number, budget: Budget): Value | Complaint {
  budget.spend(text.length / 64);
  const characters = charactersOf(text, budget);
  if (Math.abs(position) > characters.length)
    return new Complaint('functionEvaluation', `the text has no position ${position}`, '');
  if (length < 0) return new Complaint('functionEvaluation', `there is no text of length ${length}`, '');
  if (position === 0) return '';
  const start = position > 0 ? position - 1 : characters.length + position;
  return textOf(characters.slice(start, start + length));
}

const ABS: BuiltIn = {
  takes: ['Integer'],
  returns: 'Integer',
  run: ([number]) => {
    if (number === MIN_INTEGER)
      return new Complaint('math', `${MIN_INTEGER} has no absolute value in 32 bits`, MAX_INTEGER);
    return Math.abs(number as number);
  },
};

const INT: BuiltIn = { takes: ['Integer'], returns: 'Integer', run: identity };
const BOOL: BuiltIn = { takes: ['Boolean'], returns: 'Boolean', run: identity };
const STRING: BuiltIn = { takes: ['String'], returns: 'String', run: identity };

const FUNCTIONS: ReadonlyMap<string, readonly BuiltIn[]> = new Map(
  Object.entries({
    ABS: [ABS],
    BOOL: [BOOL],
    CONCAT: [CONCAT],
    CONCAT_WS: [CONCAT_WS],
    INT: [INT],
    LEFT: [LEFT],
    LENGTH: [LENGTH],
    LOWER: [LOWER],
    RIGHT: [RIGHT],
    STRING: [STRING],
    SUBSTRING: [SUBSTRING_FROM, SUBSTRING],
    TRIM: [TRIM],
    UPPER: [UPPER],
  }),
);

/** The function of a name, in capitals, that takes so many arguments. */
export function functionFor(name: string, count: number): BuiltIn | undefined {
  return FUNCTIONS.get(name)?.find(({ takes, rest }) =>
    rest === undefined ? takes.length === count : takes.length <= count,
  );
}

/** Why a call finds no function. */
export function missingFunction(name: string, count: number): string {
  if (!FUNCTIONS.has(name))
    return `there is no function ${name}; there are ${[...FUNCTIONS.keys()].join(', ')}`;
  return `${name} does not take ${count === 1 ? '1 argument' : `${count} arguments`}`;
}
