import type { EgressPolicy } from '../../receiver/deliver/egress.ts';
import { giveBackMemory } from '../../receiver/give-back.ts';
import type { ListenAddress } from '../../receiver/http/listener.ts';
import { createKubeClient } from '../../receiver/kube/client.ts';
import { apiServerAddress, kubeConfigFrom } from '../../receiver/kube/config.ts';
import { clusterIssuer } from '../../receiver/kube/issuer.ts';
import type { Log } from '../../receiver/observe/log.ts';
import type { Tracing } from '../../receiver/observe/tracing.ts';
import { createReceiver } from '../../receiver/receiver.ts';
import { createKubeSource } from '../../receiver/routing/kube-source.ts';
import { createTableFile } from '../../receiver/routing/table-file.ts';
import type { Bounds } from '../bounds.ts';
import type { JournalChoice } from '../journal-option.ts';
import { startError } from '../run/start-error.ts';

/** What `signalbox receiver` was told. */
export interface ReceiverSettings {
  readonly dataDirectory: string;
  readonly public: ListenAddress;
  readonly cluster: ListenAddress;
  readonly admin: ListenAddress;
  readonly namespace: string;
  /** A kubeconfig's path; undefined: as kubectl finds it. */
  readonly kubeconfig: string | undefined;
  /** undefined: the embedded one. */
  readonly journal: JournalChoice | undefined;
  readonly bounds: Bounds;
  readonly egress: EgressPolicy;
  readonly adminToken: string | undefined;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly log: Log;
}

/** When so many entries have come or gone, reading and compiling them has left more behind than is kept. */
const MANY = 1000;

/** Starts a receiver that follows the cluster's table. */
export async function runReceiver(settings: ReceiverSettings): Promise<{ close(): Promise<void> }> {
  const { dataDirectory, log, adminToken } = settings;
  const kubeConfig = kubeConfigFrom(settings.kubeconfig);
  const client = createKubeClient(kubeConfig, Date.now);
  const receiver = await createReceiver({
    dataDirectory,
    public: settings.public,
    cluster: settings.cluster,
    admin: settings.admin,
    ...(adminToken === undefined ? {} : { adminToken }),
    ...settings.bounds,
    journal: { ...settings.bounds?.journal, ...settings.journal },
    tracing: settings.tracing,
    issuer: clusterIssuer(client),
    egress: { ...settings.egress, own: apiServerAddress(kubeConfig) },
    log,
    now: Date.now,
    random: Math.random,
  }).catch((error: unknown) => {
    throw startError(error, dataDirectory, settings.journal !== undefined);
  });
  let collectedAt = 0;
  const source = createKubeSource({
    client,
    namespace: settings.namespace,
    file: createTableFile(dataDirectory),
    apply(table) {
      receiver.apply(table);
      const { length } = table.entries;
      if (Math.abs(length - collectedAt) < MANY) return;
      collectedAt = length;
      giveBackMemory();
    },
    log,
    now: Date.now,
    random: Math.random,
  });
  await source.start();
  log.info({ ...receiver.addresses }, 'the receiver listens');
  return {
    async close() {
      await source.stop();
      await receiver.close();
      await client.close();
    },
  };
}
