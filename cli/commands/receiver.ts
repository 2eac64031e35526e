import { once } from 'node:events';
import { createLog } from '../../receiver/observe/log.ts';
import { parseAddress } from '../address.ts';
import { BOUND_OPTIONS, boundsOf } from '../bounds.ts';
import type { Command } from '../command.ts';
import { EGRESS_OPTIONS, egressOf } from '../egress.ts';
import { EXIT } from '../exit-codes.ts';
import { JOURNAL_OPTIONS, journalOf } from '../journal-option.ts';
import { logLevelOf, logLevelOption } from '../log-level.ts';
import { TRACING_OPTIONS, tracingOf } from '../tracing.ts';

const DEFAULTS = {
  data: '/var/lib/signalbox',
  public: '0.0.0.0:8080',
  cluster: '0.0.0.0:8081',
  admin: '0.0.0.0:9090',
  namespace: 'signalbox',
} as const;

/** `signalbox receiver` */
export const receiver: Command = {
  usage: ['receiver [options]'],
  about: [
    'The data plane of a cluster: takes events, journals them and delivers them, by the routing table that the operator',
    'publishes. Starts from the last good table in its data directory when the API server is away.',
  ].join('\n'),
  options: [
    {
      name: 'data',
      value: 'DIR',
      help: `Where the journal and the last good table lie. Default: ${DEFAULTS.data}`,
    },
    { name: 'public', value: 'ADDR', help: `Listener for signed webhooks. Default: ${DEFAULTS.public}` },
    {
      name: 'cluster',
      value: 'ADDR',
      help: `Listener for events from within the cluster. Default: ${DEFAULTS.cluster}`,
    },
    {
      name: 'admin',
      value: 'ADDR',
      help: `Listener for health, metrics and the admin API. Default: ${DEFAULTS.admin}`,
    },
    {
      name: 'namespace',
      value: 'NAME',
      help: `Where the routing Secrets are. Default: ${DEFAULTS.namespace}`,
    },
    {
      name: 'kubeconfig',
      value: 'FILE',
      help: 'How to reach the API server. Default: as kubectl finds it, or the pod’s own account.',
    },
    {
      name: 'admin-token-secret',
      value: 'NAME',
      help: 'Without SIGNALBOX_ADMIN_TOKEN: waits for the token in this Secret’s key `token`.',
    },
    ...JOURNAL_OPTIONS,
    ...BOUND_OPTIONS,
    ...EGRESS_OPTIONS,
    ...TRACING_OPTIONS,
    logLevelOption('info'),
  ],
  examples: [
    'signalbox receiver --namespace signalbox',
    'signalbox receiver --data ./data --kubeconfig ~/.kube/config',
  ],
  exits: {
    [EXIT.ok]: 'stopped by SIGTERM, after what was under way was finished',
    [EXIT.failed]:
      'there is no kubeconfig to be had, a port is in use, or the data directory or the database cannot be used',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal) {
    const log = createLog(logLevelOf(parsed, 'info'));
    const settings = {
      dataDirectory: parsed.text('data') ?? DEFAULTS.data,
      public: parseAddress(parsed.text('public') ?? DEFAULTS.public, '--public'),
      cluster: parseAddress(parsed.text('cluster') ?? DEFAULTS.cluster, '--cluster'),
      admin: parseAddress(parsed.text('admin') ?? DEFAULTS.admin, '--admin'),
      namespace: parsed.text('namespace') ?? DEFAULTS.namespace,
      kubeconfig: parsed.text('kubeconfig'),
      journal: journalOf(parsed),
      bounds: boundsOf(parsed),
      tracing: await tracingOf(parsed, terminal, log),
      egress: egressOf(parsed),
      adminToken: terminal.env['SIGNALBOX_ADMIN_TOKEN'],
      adminTokenSecret: parsed.text('admin-token-secret'),
      log,
      stop: terminal.stop,
    };
    const { runReceiver } = await import('../cluster/run-receiver.ts');
    const running = await runReceiver(settings);
    if (!terminal.stop.aborted) await once(terminal.stop, 'abort');
    await running.close();
    return EXIT.ok;
  },
};
