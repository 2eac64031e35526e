import { randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import { createAsk } from '../../operator/confirm/ask.ts';
import { createAskBridges } from '../../operator/confirm/bridge-reports.ts';
import { createAskKeyUse } from '../../operator/confirm/key-uses.ts';
import { createOperator } from '../../operator/operator.ts';
import type { EgressPolicy } from '../../receiver/deliver/egress.ts';
import { apiServerAddress, kubeConfigFrom } from '../../receiver/kube/config.ts';
import type { Log } from '../../receiver/observe/log.ts';
import { compileEntry, egressFindings } from '../../receiver/routing/compile.ts';

/** What `signalbox operator` was told. */
export interface OperatorSettings {
  readonly namespace: string;
  readonly watchNamespace: string | undefined;
  readonly receiverService: string;
  readonly publicUrl: string;
  readonly clusterUrl: string;
  readonly clusterDomain: string;
  /** A kubeconfig's path; undefined: as kubectl finds it. */
  readonly kubeconfig: string | undefined;
  readonly egress: EgressPolicy;
  readonly log: Log;
}

/** Starts an operator; returns at once, also where the API server is away. */
export async function runOperator(settings: OperatorSettings): Promise<{ close(): Promise<void> }> {
  const { kubeconfig, egress, log, ...rest } = settings;
  const kubeConfig = kubeConfigFrom(kubeconfig);
  const policy: EgressPolicy = { ...egress, own: apiServerAddress(kubeConfig) };
  const dispatcher = new Agent();
  const operator = createOperator({
    ...rest,
    kubeConfig,
    check: compileEntry,
    egress: (entry) => egressFindings(entry, policy),
    ask: createAsk(dispatcher),
    askKeyUse: createAskKeyUse(dispatcher),
    askBridges: createAskBridges(dispatcher),
    makeToken: () => randomBytes(32).toString('base64url'),
    randomBytes,
    log,
    now: Date.now,
    random: Math.random,
  });
  log.info({ namespace: settings.namespace }, 'the operator starts');
  const started = operator
    .start()
    .then(() => log.info({ revision: operator.health.revision() }, 'the operator has read everything'));
  started.catch((error: unknown) => log.error({ error: String(error) }, 'the operator could not start'));
  return {
    async close() {
      await operator.stop();
      await dispatcher.close();
    },
  };
}
