import { once } from 'node:events';
import { createLog, LOG_LEVELS } from '../../receiver/observe/log.ts';
import { parseAddress } from '../address.ts';
import { BOUND_OPTIONS, boundsOf } from '../bounds.ts';
import type { Command } from '../command.ts';
import { EGRESS_OPTIONS, egressOf } from '../egress.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { JOURNAL_OPTIONS, journalOf } from '../journal-option.ts';
import { logLevelOf } from '../log-level.ts';
import type { Parsed } from '../options.ts';
import { isHttpUrl, parseResolve } from '../run/resolve.ts';
import { TRACING_OPTIONS, tracingOf } from '../tracing.ts';

const DEFAULTS = {
  data: '.signalbox',
  public: '127.0.0.1:8080',
  cluster: '127.0.0.1:8081',
  admin: '127.0.0.1:9090',
  level: 'warn',
} as const;

/** `signalbox run` */
export const run: Command = {
  usage: ['run -f PATH… [options]'],
  about: [
    'Runs WebhookSecrets, EventTriggers and EventBridges from manifest files in one process, without Kubernetes: the same',
    'files that `kubectl apply` takes, Secrets included. A changed file is applied at once; an edit that is wrong is told and keeps',
    'the last good version running. Kinds of other groups are passed over. Events are kept in the data directory until',
    'they are delivered, over restarts too.',
  ].join('\n'),
  options: [
    {
      name: 'file',
      short: 'f',
      value: 'PATH',
      multiple: true,
      help: 'A YAML or JSON file, or a folder of them; may be given again.',
    },
    { name: 'data', value: 'DIR', help: `Where the journal lies. Default: ${DEFAULTS.data}` },
    {
      name: 'public',
      value: 'ADDR',
      help: `Listener for signed webhooks, POST /e/{source}. Default: ${DEFAULTS.public}`,
    },
    {
      name: 'cluster',
      value: 'ADDR',
      help: `Listener for unsigned events, POST /triggers/{namespace}/{name}. Default: ${DEFAULTS.cluster}`,
    },
    {
      name: 'admin',
      value: 'ADDR',
      help: `Listener for health, metrics and the admin API. Default: ${DEFAULTS.admin}`,
    },
    {
      name: 'public-url',
      value: 'URL',
      help: 'How senders reach the public listener, where a proxy stands before it.',
    },
    {
      name: 'resolve',
      value: 'REF=URL',
      multiple: true,
      help: 'Where a target `ref` leads without a cluster: kind/namespace/name=URL; may be given again.',
    },
    {
      name: 'issuer',
      value: 'URL',
      help: 'Whose tokens `cluster.audience` asks for: an OpenID Connect issuer. In a cluster: its own.',
    },
    ...JOURNAL_OPTIONS,
    ...BOUND_OPTIONS,
    ...EGRESS_OPTIONS,
    ...TRACING_OPTIONS,
    {
      name: 'log-level',
      value: 'LEVEL',
      help: `${LOG_LEVELS.join(', ')}; JSON lines on standard error. Default: ${DEFAULTS.level}`,
    },
  ],
  examples: [
    'signalbox run -f examples/quickstart.yaml',
    'signalbox run -f manifests/ --public 0.0.0.0:8080 --public-url https://hooks.example.com',
    'signalbox run -f manifests/ --journal postgres://signalbox@db.example.com/signalbox --journal-password-file password',
    'signalbox run -f examples/knative.yaml --resolve Service/shop/ojs=http://127.0.0.1:8585',
  ],
  exits: {
    [EXIT.ok]: 'stopped by Ctrl-C or SIGTERM, after what was under way was finished',
    [EXIT.failed]:
      'nothing in the files can run, a port is in use, or the data directory or the database cannot be used',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal) {
    const paths = [...parsed.list('file'), ...parsed.positionals];
    if (paths.length === 0) throw new UsageError('run needs manifests; give a file or folder with -f.');
    const log = createLog(logLevelOf(parsed, DEFAULTS.level), process.stderr);
    const settings = {
      paths,
      dataDirectory: parsed.text('data') ?? DEFAULTS.data,
      public: addressOf(parsed, 'public'),
      cluster: addressOf(parsed, 'cluster'),
      admin: addressOf(parsed, 'admin'),
      publicUrl: urlOf(parsed, 'public-url', 'https://hooks.example.com'),
      issuer: urlOf(parsed, 'issuer', 'https://issuer.example.com'),
      resolve: parseResolve(parsed.list('resolve')),
      adminToken: terminal.env['SIGNALBOX_ADMIN_TOKEN'],
      journal: journalOf(parsed),
      bounds: boundsOf(parsed),
      tracing: await tracingOf(parsed, terminal, log),
      // Targets on loopback are the commonest case here.
      egress: { ...egressOf(parsed), allowLoopback: true },
      log,
    };
    // The help and a wrong call need none of what runs an event.
    const { runManifests } = await import('../run/run-manifests.ts');
    const running = await runManifests(settings, terminal);
    if (!terminal.stop.aborted) await once(terminal.stop, 'abort');
    terminal.out('Stopping: finishing what is under way.');
    await running.close();
    return EXIT.ok;
  },
};

function addressOf(parsed: Parsed, name: 'public' | 'cluster' | 'admin'): ReturnType<typeof parseAddress> {
  return parseAddress(parsed.text(name) ?? DEFAULTS[name], `--${name}`);
}

function urlOf(parsed: Parsed, name: string, example: string): string | undefined {
  const url = parsed.text(name);
  if (url !== undefined && !isHttpUrl(url)) {
    throw new UsageError(`--${name} ${url} is no address; write it in full, for example ${example}.`);
  }
  return url?.replace(/\/+$/, '');
}
