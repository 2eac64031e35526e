import { randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import { createAsk, createAskItems } from '../../operator/confirm/ask.ts';
import type { KeyUseAnswer } from '../../operator/confirm/key-uses.ts';
import { createElector } from '../../operator/lead/elector.ts';
import { createOperatorMetrics } from '../../operator/observe/metrics.ts';
import { notReady } from '../../operator/observe/readiness.ts';
import { createOperator, type Operator } from '../../operator/operator.ts';
import type { BridgeReport } from '../../operator/plan/bridge-report.ts';
import type { EgressPolicy } from '../../receiver/deliver/egress.ts';
import { giveBackMemory, growSlowly } from '../../receiver/give-back.ts';
import { healthApp } from '../../receiver/http/health-app.ts';
import { type ListenAddress, openListener } from '../../receiver/http/listener.ts';
import { createKubeClient } from '../../receiver/kube/client.ts';
import { apiServerAddress } from '../../receiver/kube/config.ts';
import type { Log } from '../../receiver/observe/log.ts';
import type { TrafficItem } from '../../receiver/observe/traffic.ts';
import { compileEntry, egressFindings } from '../../receiver/routing/compile.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { usableKubeConfig } from './usable-kubeconfig.ts';

/** What `signalbox operator` was told. */
export interface OperatorSettings {
  readonly namespace: string;
  readonly watchNamespace: string | undefined;
  readonly receiverService: string;
  readonly publicUrl: string;
  readonly clusterUrl: string;
  readonly clusterDomain: string;
  /** Whether Secrets that `spec.generate` asks for may be made. */
  readonly canGenerate: boolean;
  /** Where health and metrics are told. */
  readonly admin: ListenAddress;
  /** Stands for election under this name; undefined: works without. */
  readonly identity: string | undefined;
  /** A kubeconfig's path; undefined: as kubectl finds it. */
  readonly kubeconfig: string | undefined;
  readonly egress: EgressPolicy;
  readonly log: Log;
}

/** Starts an operator; returns at once, also where the API server is away. Throws CommandError. */
export async function runOperator(settings: OperatorSettings): Promise<{ close(): Promise<void> }> {
  const { kubeconfig, egress, admin, identity, log, ...rest } = settings;
  growSlowly();
  const kubeConfig = usableKubeConfig(kubeconfig);
  const policy: EgressPolicy = { ...egress, own: apiServerAddress(kubeConfig) };
  const dispatcher = new Agent();
  const stopping = new AbortController();
  let leading: Operator | undefined;

  const metrics = createOperatorMetrics(() => ({
    leads: leading !== undefined,
    waiting: leading?.health.waiting() ?? 0,
    revision: leading?.health.revision() ?? 0,
    staleMs: leading?.health.staleMs() ?? 0,
    resources: leading?.health.resources() ?? [],
  }));

  async function lead(lost: AbortSignal): Promise<void> {
    const operator = createOperator({
      ...rest,
      kubeConfig,
      check: compileEntry,
      egress: (entry) => egressFindings(entry, policy),
      ask: createAsk(dispatcher),
      askKeyUse: createAskItems<KeyUseAnswer>(dispatcher, 'keys'),
      askTraffic: createAskItems<TrafficItem>(dispatcher, 'traffic'),
      askBridges: createAskItems<BridgeReport>(dispatcher, 'bridges'),
      makeToken: () => randomBytes(32).toString('base64url'),
      randomBytes,
      giveBack: giveBackMemory,
      metrics,
      log,
      now: Date.now,
      random: Math.random,
    });
    leading = operator;
    start(operator).catch((error: unknown) =>
      log.error({ error: String(error) }, 'the operator could not start'),
    );
    await aborted(lost);
    await operator.stop();
    leading = undefined;
  }

  async function start(operator: Operator): Promise<void> {
    const { health } = operator;
    await operator.start();
    // It ends when it is stopped, too.
    if (health.synced()) log.info({ revision: health.revision() }, 'the operator has read everything');
  }

  const electing = createKubeClient(kubeConfig, Date.now, metrics.answered);
  const elector =
    identity === undefined
      ? undefined
      : createElector({
          client: electing,
          namespace: settings.namespace,
          identity,
          log,
          now: Date.now,
          clock: () => performance.now(),
          random: Math.random,
        });
  const standing = () =>
    notReady({
      leads: leading !== undefined,
      synced: leading?.health.synced() ?? false,
      staleMs: leading?.health.staleMs() ?? 0,
      trouble: elector?.trouble ?? leading?.health.trouble(),
    });
  const listener = await openListener(
    'admin',
    admin,
    () => false,
    healthApp({ notReady: standing, registry: metrics.registry }),
  ).catch((error: Error) => {
    throw new CommandError(error.message, EXIT.failed);
  });
  log.info({ namespace: settings.namespace, admin: listener.url }, 'the operator starts');
  const running = elector === undefined ? lead(stopping.signal) : elector.run(lead);

  return {
    async close() {
      stopping.abort();
      elector?.stop();
      await running;
      await electing.close();
      await listener.close(0);
      await dispatcher.close();
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
