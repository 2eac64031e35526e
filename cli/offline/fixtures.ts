import { dirname, resolve } from 'node:path';
import { loadAll } from 'js-yaml';
import { nearest } from '../../crds/nearest.ts';
import { CommandError } from '../exit-codes.ts';

/** A file of fixtures: each an event and what is expected of it. */
export interface Fixtures {
  /** Absolute paths of the manifests that it is about. */
  readonly manifests: readonly string[];
  readonly tests: readonly Fixture[];
}

export interface Fixture {
  readonly name: string;
  readonly entrance?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What is sent: a CloudEvent in JSON, a payload, or a file that holds either. */
  readonly sent: { readonly event: Fields } | { readonly payload: unknown } | { readonly file: string };
  /** Milliseconds since the epoch: when it comes. */
  readonly at: number;
  readonly expect: Expected;
}

/** What is expected; what is left out is free. */
export interface Expected {
  /** Exactly these triggers, `namespace/name`. */
  readonly taken?: readonly string[];
  /** By trigger: the request that leaves; of objects only the members that are named count. */
  readonly sends?: Readonly<Record<string, ExpectedRequest>>;
  /** By trigger: the path of a clause that says no. */
  readonly saysNo?: Readonly<Record<string, string>>;
  /** By trigger: part of the reason why it cannot become a request. */
  readonly dead?: Readonly<Record<string, string>>;
  /** The code of the refusal. */
  readonly refused?: string;
}

export interface ExpectedRequest {
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** The time at which events come where a fixture names none, so that what is sent is the same each time. */
const DEFAULT_AT = '2026-01-01T00:00:00Z';
/** What an event has where a fixture does not say otherwise. */
const DEFAULT_EVENT = { specversion: '1.0', id: 'test-1', source: '/signalbox/test' };

/** Reads a file of fixtures. Throws CommandError that names the field and the remedy. */
export function parseFixtures(text: string, path: string): Fixtures {
  const read = new Reader(path);
  const top = read.object(yaml(text, path), '', ['manifests', 'tests']);
  const manifests = read.texts(top['manifests'] ?? [], 'manifests');
  const tests = read.list(top['tests'], 'tests');
  if (tests.length === 0) throw read.fault('tests', 'is empty; write at least one');
  return {
    manifests: manifests.map((name) => resolve(dirname(path), name)),
    tests: tests.map((test, i) => readFixture(read, test, `tests[${i}]`, dirname(path))),
  };
}

function readFixture(read: Reader, value: unknown, field: string, base: string): Fixture {
  const known = ['name', 'entrance', 'headers', 'event', 'payload', 'file', 'at', 'expect'];
  const given = read.object(value, field, known);
  const at = read.text(given['at'] ?? DEFAULT_AT, `${field}.at`);
  if (Number.isNaN(Date.parse(at)))
    throw read.fault(`${field}.at`, `${at} is no time; write one such as ${DEFAULT_AT}`);
  return {
    name: read.text(given['name'] ?? field, `${field}.name`),
    ...(given['entrance'] === undefined
      ? {}
      : { entrance: read.text(given['entrance'], `${field}.entrance`) }),
    headers: lowered(read.textMap(given['headers'] ?? {}, `${field}.headers`)),
    sent: readSent(read, given, field, base),
    at: Date.parse(at),
    expect: readExpected(read, given['expect'], `${field}.expect`),
  };
}

function readSent(read: Reader, given: Fields, field: string, base: string): Fixture['sent'] {
  const ways = (['event', 'payload', 'file'] as const).filter((name) => given[name] !== undefined);
  if (ways.length !== 1) throw read.fault(field, 'needs one of event, payload and file');
  if (ways[0] === 'payload') return { payload: given['payload'] };
  if (ways[0] === 'file') return { file: resolve(base, read.text(given['file'], `${field}.file`)) };
  return { event: { ...DEFAULT_EVENT, ...read.object(given['event'], `${field}.event`) } };
}

function readExpected(read: Reader, value: unknown, field: string): Expected {
  const given = read.object(value, field, ['taken', 'sends', 'saysNo', 'dead', 'refused']);
  if (Object.keys(given).length === 0)
    throw read.fault(field, 'expects nothing; write taken, sends, saysNo, dead or refused');
  const { taken, sends, saysNo, dead, refused } = given;
  return {
    ...(taken === undefined ? {} : { taken: read.texts(taken, `${field}.taken`) }),
    ...(sends === undefined ? {} : { sends: readSends(read, sends, `${field}.sends`) }),
    ...(saysNo === undefined ? {} : { saysNo: read.textMap(saysNo, `${field}.saysNo`) }),
    ...(dead === undefined ? {} : { dead: read.textMap(dead, `${field}.dead`) }),
    ...(refused === undefined ? {} : { refused: read.text(refused, `${field}.refused`) }),
  };
}

function readSends(read: Reader, value: unknown, field: string): Readonly<Record<string, ExpectedRequest>> {
  const requests = Object.entries(read.object(value, field)).map(([trigger, each]) => {
    const at = `${field}.${trigger}`;
    const { url, headers, body } = read.object(each, at, ['url', 'headers', 'body']);
    const request: ExpectedRequest = {
      ...(url === undefined ? {} : { url: read.text(url, `${at}.url`) }),
      ...(headers === undefined ? {} : { headers: lowered(read.textMap(headers, `${at}.headers`)) }),
      ...(body === undefined ? {} : { body }),
    };
    return [trigger, request] as const;
  });
  return Object.fromEntries(requests);
}

function lowered(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function yaml(text: string, path: string): unknown {
  const [document, ...more] = documents(text, path);
  if (more.length === 0) return document;
  throw new CommandError(
    `${path}: it holds several documents, as manifests do; fixtures are one mapping with manifests and tests.`,
  );
}

function documents(text: string, path: string): readonly unknown[] {
  try {
    return loadAll(text);
  } catch (error) {
    const [why = ''] = String(error instanceof Error ? error.message : error).split('\n');
    throw new CommandError(`${path}: it is no YAML: ${why}`);
  }
}

/** Takes values apart, and names the field of what is not as it should be. */
class Reader {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  fault(field: string, rule: string): CommandError {
    return new CommandError(`${this.#path}: ${field === '' ? 'the file' : field} ${rule}.`);
  }

  object(value: unknown, field: string, known?: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.fault(field, known === undefined ? 'is a mapping' : `is a mapping with ${known.join(', ')}`);
    for (const name of known === undefined ? [] : Object.keys(value)) {
      if (known?.includes(name) === true) continue;
      const meant = nearest(name, known ?? []);
      const where = field === '' ? name : `${field}.${name}`;
      throw this.fault(where, `is not known${meant === undefined ? '' : `; did you mean ${meant}`}`);
    }
    return value as Fields;
  }

  list(value: unknown, field: string): readonly unknown[] {
    if (!Array.isArray(value)) throw this.fault(field, 'is a list');
    return value;
  }

  text(value: unknown, field: string): string {
    if (typeof value === 'string') return value;
    // YAML takes an unquoted number or time for more than its text.
    throw this.fault(field, 'is a text; put it in quotes');
  }

  texts(value: unknown, field: string): readonly string[] {
    return this.list(value, field).map((each, i) => this.text(each, `${field}[${i}]`));
  }

  textMap(value: unknown, field: string): Readonly<Record<string, string>> {
    const entries = Object.entries(this.object(value, field));
    return Object.fromEntries(entries.map(([name, each]) => [name, this.text(each, `${field}.${name}`)]));
  }
}
