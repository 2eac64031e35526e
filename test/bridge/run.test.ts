import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { launch } from '../../cli/testing/launch.ts';

const EXAMPLE = new URL('../../examples/ojs-bridge.yaml', import.meta.url);
const TOKEN = 'ojs-token';

interface Line {
  readonly path?: string;
  /** What the backend tells of itself. */
  readonly events?: readonly { readonly type: string; readonly subject: string }[];
  readonly event?: { readonly type: string; readonly subject: string; readonly region?: string };
  readonly job?: {
    readonly id: string;
    readonly type: string;
    readonly meta?: Readonly<Record<string, unknown>>;
  };
}

describe('the example of a bridge', () => {
  it.each([
    ['a backend as most are', []],
    ['a backend that keeps its events', ['--have', 'events']],
  ])('runs on %s, over kill -9 of the receiver', async (_what, have) => {
    await using opened = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'signalbox-run-'));
    opened.defer(() => rm(directory, { recursive: true, force: true }));
    const addresses = Array.from({ length: 3 }, () => '--address=127.0.0.1:0');
    const listen = opened.use(
      launch([
        'listen',
        '--ojs',
        ...addresses,
        '--token',
        TOKEN,
        '--work',
        '20ms',
        '--nack',
        '3',
        '--cut',
        '1s',
        '-o',
        'json',
        ...have,
      ]),
    );
    await listen.line(/9900|as a job backend/);
    const urls: string[] = [];
    for (const pattern of [/as a job backend/, /for jobs/]) await listen.line(pattern);
    while (urls.length < 3) {
      urls.splice(
        0,
        urls.length,
        ...listen.lines.flatMap((line) => /Listening on (http\S+)/.exec(line)?.[1] ?? []),
      );
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const [backend = '', sink = '', other = ''] = urls;
    const example = (await readFile(EXAMPLE, 'utf8'))
      .replaceAll('http://127.0.0.1:8585', backend)
      .replaceAll('http://127.0.0.1:9900', sink)
      .replaceAll('http://127.0.0.1:8586', other);
    const manifest = join(directory, 'bridge.yaml');
    await writeFile(manifest, example);
    const free = ['public', 'cluster', 'admin'].map((name) => `--${name}=127.0.0.1:0`);
    const run = () =>
      opened.use(
        launch(['run', '-f', manifest, '--data', join(directory, 'data'), '--log-level', 'info', ...free]),
      );
    const enqueue = async (): Promise<string> => {
      const response = await fetch(`${backend}/ojs/v1/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
        body: '{"type":"email.send","args":[]}',
      });
      return ((await response.json()) as { job: { id: string } }).job.id;
    };
    const arrived = (): readonly Line[] =>
      listen.lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
    /** What the sink lacks of what the backend had of these jobs. */
    const missing = (ids: readonly string[]): readonly string[] => {
      const had = arrived()
        .flatMap(({ events = [] }) => events)
        .filter(({ subject }) => ids.includes(subject));
      const wanted = had.filter(({ type }) => type === 'job.completed' || type === 'job.failed');
      const got = new Set(arrived().map(({ event }) => `${event?.type} ${event?.subject}`));
      return wanted
        .map(({ type, subject }) => `org.openjobspec.${type} ${subject}`)
        .filter((one) => !got.has(one));
    };
    const over = (ids: readonly string[]): boolean => {
      const ends = new Set(['job.completed', 'job.discarded']);
      const ended = arrived()
        .flatMap(({ events = [] }) => events)
        .filter(({ type }) => ends.has(type));
      return ids.every((id) => ended.some(({ subject }) => subject === id));
    };
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
    };

    const ids = [await enqueue()];
    const first = run();
    expect(await first.line(/jobs\/job-results/)).toContain(`${backend}/ (Auto) → sink ${sink}/cloudevents`);
    await first.line(/a bridge reads/);
    for (let i = 0; i < 10; i++) ids.push(await enqueue());
    await until(() => over(ids) && missing(ids.slice(1)).length === 0);
    for (let i = 0; i < 10; i++) ids.push(await enqueue());
    await first.stop('SIGKILL');
    for (let i = 0; i < 10; i++) ids.push(await enqueue());
    const second = run();
    await second.line(/a bridge reads/);
    // What was done before the first receiver ran at all is no event of the bridge's, unless the backend kept it.
    const due = have.length > 0 ? ids : ids.slice(1);
    await until(() => over(ids) && missing(due).length === 0);
    await until(() =>
      arrived().some(({ path, job }) => path === '/ojs/v1/jobs' && job?.type === 'job.inspect'),
    );

    const told = arrived().filter(({ path }) => path === '/cloudevents');
    expect(new Set(told.map(({ event }) => event?.type))).toEqual(
      new Set(['org.openjobspec.job.completed', 'org.openjobspec.job.failed']),
    );
    expect(told[0]?.event?.region).toBe('eu');
    const inspect = arrived().find(({ job }) => job?.type === 'job.inspect');
    expect(inspect?.job?.meta).toMatchObject({ signalbox_origin: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(await second.stop()).toBe(0);
  });
});
