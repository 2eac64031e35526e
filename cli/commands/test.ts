import { resolve } from 'node:path';
import { previewEvent } from '../../receiver/preview.ts';
import type { Command, Terminal } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../exit-codes.ts';
import { checkFixture, type Happened } from '../offline/check-fixture.ts';
import type { Difference } from '../offline/differences.ts';
import { readEvents } from '../offline/event-input.ts';
import { type Fixture, parseFixtures } from '../offline/fixtures.ts';
import { type PlannedTable, plannedTable } from '../offline/planned-table.ts';
import { OUTPUT_OPTION, outputFormat } from '../output.ts';
import { parseResolve } from '../run/resolve.ts';
import { fileBytes } from '../send/text-source.ts';

/** How one fixture went. */
interface Result {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  readonly differences: readonly Difference[];
}

/** `signalbox test` */
export const test: Command = {
  usage: ['test FIXTURES… [options]'],
  about: [
    'Checks what manifests make of events, without running anything: a file of fixtures in YAML names events, and for each',
    'which triggers take it and what they send. Asks the same matcher and renderer as a receiver. Prints what differs.',
  ].join('\n'),
  options: [
    {
      name: 'file',
      short: 'f',
      value: 'PATH',
      multiple: true,
      help: 'Manifests, or folders of them, instead of those that the fixtures name; may be given again.',
    },
    {
      name: 'resolve',
      value: 'REF=URL',
      multiple: true,
      help: 'Where a target `ref` leads: kind/namespace/name=URL; may be given again.',
    },
    OUTPUT_OPTION,
  ],
  examples: [
    'signalbox test examples/tests/quickstart.yaml',
    'signalbox test -f manifests/ tests/routes.yaml tests/payloads.yaml',
  ],
  exits: {
    [EXIT.ok]: 'everything is as expected',
    [EXIT.failed]: 'something differs, or a file cannot be used',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal) {
    const format = outputFormat(parsed);
    if (parsed.positionals.length === 0) throw new UsageError('test needs fixtures; give a file of them.');
    const resolved = parseResolve(parsed.list('resolve'));
    const results: Result[] = [];
    for (const path of parsed.positionals) {
      const { manifests, tests } = parseFixtures((await fileBytes(path)).toString(), path);
      const paths = parsed.list('file').length > 0 ? parsed.list('file') : manifests;
      if (paths.length === 0)
        throw new CommandError(
          `${path}: it names no manifests; write them under manifests, or give them with -f.`,
        );
      const table = await plannedTable(
        paths.map((each) => resolve(each)),
        resolved,
      );
      for (const problem of table.problems) terminal.err(problem);
      for (const fixture of tests) results.push(await tried(fixture, path, table));
    }
    const failed = results.filter(({ passed }) => !passed).length;
    if (format === 'json') terminal.out(JSON.stringify({ passed: results.length - failed, failed, results }));
    else tell(results, failed, terminal);
    return failed === 0 ? EXIT.ok : EXIT.failed;
  },
};

async function tried(fixture: Fixture, file: string, table: PlannedTable): Promise<Result> {
  const { name, expect, entrance } = fixture;
  try {
    const found = checkFixture(expect, await happened(fixture, table));
    return { file, name, passed: found.length === 0, differences: found };
  } catch (error) {
    // What cannot come in there is a fixture that fails, and no reason to leave out the others.
    if (!(error instanceof UsageError)) throw error;
    const path = 'entrance';
    return { file, name, passed: false, differences: [{ path, expected: entrance, actual: error.message }] };
  }
}

async function happened(fixture: Fixture, table: PlannedTable): Promise<Happened> {
  const { at, headers } = fixture;
  const input = { entrance: fixture.entrance, headers, body: await bodyOf(fixture) };
  const { entrance, events, refusals } = readEvents(table, input, at);
  const previews = events.flatMap((event) => previewEvent(table.runtime, event, { entrance, now: at }));
  return { previews, refusals };
}

async function bodyOf({ sent }: Fixture): Promise<Buffer> {
  if ('file' in sent) return fileBytes(sent.file);
  const content = 'event' in sent ? sent.event : sent.payload;
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
}

function tell(results: readonly Result[], failed: number, terminal: Terminal): void {
  for (const { name, passed, differences } of results) {
    terminal.out(`${passed ? 'ok  ' : 'FAIL'}  ${name}`);
    for (const { path, expected, actual } of differences) {
      terminal.out(`      ${path}`);
      terminal.out(`      - ${shown(expected)}`);
      terminal.out(`      + ${shown(actual)}`);
    }
  }
  terminal.out(`${results.length - failed} of ${results.length} as expected.`);
}

function shown(value: unknown): string {
  return value === undefined ? '(nothing)' : JSON.stringify(value);
}
