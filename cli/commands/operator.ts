import { once } from 'node:events';
import { hostname } from 'node:os';
import { createLog } from '../../receiver/observe/log.ts';
import { parseAddress } from '../address.ts';
import type { Command } from '../command.ts';
import { EGRESS_OPTIONS, egressOf } from '../egress.ts';
import { EXIT } from '../exit-codes.ts';
import { logLevelOf, logLevelOption } from '../log-level.ts';

const DEFAULTS = {
  namespace: 'signalbox',
  service: 'signalbox-receiver',
  domain: 'cluster.local',
  admin: '0.0.0.0:9090',
} as const;

/** `signalbox operator` */
export const operator: Command = {
  usage: ['operator [options]'],
  about: [
    'The control plane of a cluster: checks WebhookSecrets and EventTriggers, publishes them to the receivers as a routing',
    'table, makes the keys that `spec.generate` asks for, and reports in the status what works, what does not and why.',
  ].join('\n'),
  options: [
    {
      name: 'namespace',
      value: 'NAME',
      help: `Where the routing Secrets and the receivers are. Default: ${DEFAULTS.namespace}`,
    },
    {
      name: 'watch-namespace',
      value: 'NAME',
      help: 'Only this namespace’s resources count. Default: all namespaces',
    },
    {
      name: 'receiver-service',
      value: 'NAME',
      help: `The Service with the receivers’ port \`admin\`. Default: ${DEFAULTS.service}`,
    },
    {
      name: 'public-url',
      value: 'URL',
      help: 'How senders reach the receivers’ public listener; shown in status.',
    },
    {
      name: 'cluster-url',
      value: 'URL',
      help: 'How the cluster reaches the receivers. Default: the receivers’ Service, port 8081',
    },
    { name: 'cluster-domain', value: 'NAME', help: `The cluster’s DNS domain. Default: ${DEFAULTS.domain}` },
    {
      name: 'generate-secrets',
      help: 'Makes the Secrets that spec.generate asks for; needs the right to create Secrets.',
    },
    {
      name: 'leader-elect',
      help: 'Works only while it holds the Lease signalbox-operator, so that several may run.',
    },
    { name: 'admin', value: 'ADDR', help: `Listener for health and metrics. Default: ${DEFAULTS.admin}` },
    {
      name: 'kubeconfig',
      value: 'FILE',
      help: 'How to reach the API server. Default: as kubectl finds it, or the pod’s own account.',
    },
    ...EGRESS_OPTIONS,
    logLevelOption('info'),
  ],
  examples: ['signalbox operator --namespace signalbox --public-url https://hooks.example.com'],
  exits: {
    [EXIT.ok]: 'stopped by SIGTERM',
    [EXIT.failed]: 'there is no kubeconfig to be had, or the port is in use',
    [EXIT.usage]: 'called wrongly',
  },
  async run(parsed, terminal) {
    const namespace = parsed.text('namespace') ?? DEFAULTS.namespace;
    const receiverService = parsed.text('receiver-service') ?? DEFAULTS.service;
    const clusterDomain = parsed.text('cluster-domain') ?? DEFAULTS.domain;
    const settings = {
      namespace,
      watchNamespace: parsed.text('watch-namespace'),
      receiverService,
      publicUrl: parsed.text('public-url')?.replace(/\/+$/, '') ?? '',
      clusterUrl:
        parsed.text('cluster-url')?.replace(/\/+$/, '') ??
        `http://${receiverService}.${namespace}.svc.${clusterDomain}:8081`,
      clusterDomain,
      canGenerate: parsed.flag('generate-secrets'),
      admin: parseAddress(parsed.text('admin') ?? DEFAULTS.admin, '--admin'),
      identity: parsed.flag('leader-elect') ? (terminal.env['POD_NAME'] ?? hostname()) : undefined,
      kubeconfig: parsed.text('kubeconfig'),
      egress: egressOf(parsed),
      log: createLog(logLevelOf(parsed, 'info')),
    };
    const { runOperator } = await import('../cluster/run-operator.ts');
    const running = await runOperator(settings);
    if (!terminal.stop.aborted) await once(terminal.stop, 'abort');
    await running.close();
    return EXIT.ok;
  },
};
