import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from '../../receiver/testing.ts';
import { findProgram, moduleDirectory, type Recipe } from '../assets/go-program.ts';

const RECIPE: Recipe = {
  module: 'conformance',
  package: 'github.com/cloudevents/conformance/cmd/cloudevents',
  ldflags: '',
  minutes: 1,
};

/** What the CloudEvents project's own tool brings, or why the suite has to do without. */
async function findTool(): Promise<{ program: string; scenarios: string } | { missing: string }> {
  const say = (line: string): void => void process.stderr.write(`conformance: ${line}\n`);
  const found = await findProgram('cloudevents', RECIPE, process.env, say);
  if (!found.found) return { missing: found.reason };
  try {
    const module = await moduleDirectory(RECIPE, 'github.com/cloudevents/conformance', process.env);
    return { program: found.path, scenarios: join(module, 'yaml') };
  } catch (error) {
    return { missing: `its scenarios cannot be read: ${String(error)}` };
  }
}

const tool = await findTool();
const run = promisify(execFile);

/** The tool's own sink: writes what it gets as YAML. */
async function openListener(program: string) {
  const child = spawn(program, ['listen', '-P', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  let events = 0;
  let more: (() => void) | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text;
    // Each event is one document, which names its id once.
    events = written.match(/^ +id: /gm)?.length ?? 0;
    more?.();
  });
  const [line] = (await once(createInterface(child.stderr), 'line')) as [string];
  return {
    url: `http://127.0.0.1:${line.split(':').at(-1) ?? ''}/`,
    async got(count: number): Promise<string> {
      while (events < count) {
        await new Promise<void>((resolve) => {
          more = resolve;
        });
      }
      return written;
    },
    async close(): Promise<void> {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** Without the hop count, which the receiver adds; names as they are sent and not as Go writes headers. */
function comparable(yaml: string): string {
  return yaml
    .replaceAll(/^ +signalboxhops: "1"\n/gim, '')
    .replaceAll(/^ {4}[A-Z]\w*:/gm, (name) => name.toLowerCase());
}

const CASES = [
  // Binary headers leave percent-encoded, which the tool does not decode: only what needs no encoding is compared there.
  { file: 'v1.0/v1_minimum.yaml', format: 'binary' as const },
  // In structured mode, the tool compares text data as a JSON string: only JSON data is compared there.
  { file: 'v1.yaml', format: 'structured' as const },
];

function suite(program: string, scenarios: string): void {
  let stage: Stage;
  let directory: string;
  beforeAll(async () => {
    stage = await openStage();
    directory = await mkdtemp(join(tmpdir(), 'conformance-'));
  });
  afterAll(async () => {
    await stage.close();
    await rm(directory, { recursive: true });
  });

  /** What the tool's sink gets of a scenario that its sender sends to `url`, which leads there in the end. */
  async function listened(name: string, file: string, to: (sink: string) => string): Promise<string> {
    const sink = await openListener(program);
    try {
      const scenario = join(scenarios, file);
      const count = (await readFile(scenario, 'utf8')).split(/^---$/m).length;
      await run(program, ['invoke', to(sink.url), '-f', scenario]);
      const heard = join(directory, name);
      await writeFile(heard, comparable(await sink.got(count)));
      return heard;
    } finally {
      await sink.close();
    }
  }

  it.each(CASES)('hears the same behind the receiver as without it: $file', async ({ file, format }) => {
    const want = await listened('want.yaml', file, (sink) => sink);
    const got = await listened('got.yaml', file, (sink) => {
      const cluster = { dedup: { enabled: false, windowMs: 0 } };
      stage.apply(
        stage.toSink({
          // The scenarios hold one event in two modes.
          from: { webhookSecrets: [], eventBridges: [], cluster },
          shape: { sink: { format } },
          destination: { kind: 'sink', url: sink, headers: [] },
        }),
      );
      return `${stage.receiver.addresses.cluster}/triggers/shop/forward`;
    });
    // What differs is told on standard output, and by the exit code.
    const differences = await run(program, ['diff', '--full', want, got]).then(
      ({ stdout }) => stdout,
      ({ stdout }: { stdout: string }) => stdout,
    );
    expect(differences).toBe('');
    expect(await readFile(got, 'utf8')).toContain('specversion: "1.0"');
  });
}

const NAME = 'the conformance tool of CloudEvents';
if ('program' in tool) {
  describe(NAME, () => suite(tool.program, tool.scenarios));
} else if (process.env['SIGNALBOX_TEST_ALL']) {
  it(`${NAME} is there`, () => {
    throw new Error(tool.missing);
  });
} else {
  describe.skip(`${NAME} (left out: ${tool.missing})`, () => {
    it('is needed', () => undefined);
  });
}
