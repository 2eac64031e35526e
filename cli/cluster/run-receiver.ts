import type { EgressPolicy } from '../../receiver/deliver/egress.ts';
import { giveBackMemory } from '../../receiver/give-back.ts';
import { ADMIN_TOKEN_KEY } from '../../receiver/http/admin-token.ts';
import type { ListenAddress } from '../../receiver/http/listener.ts';
import { createKubeClient, type KubeClient } from '../../receiver/kube/client.ts';
import { apiServerAddress } from '../../receiver/kube/config.ts';
import { clusterIssuer } from '../../receiver/kube/issuer.ts';
import { whenSecretKey } from '../../receiver/kube/secret-key.ts';
import type { Log } from '../../receiver/observe/log.ts';
import type { Tracing } from '../../receiver/observe/tracing.ts';
import { createReceiver } from '../../receiver/receiver.ts';
import { createKubeSource } from '../../receiver/routing/kube-source.ts';
import { createTableFile } from '../../receiver/routing/table-file.ts';
import type { Bounds } from '../bounds.ts';
import type { JournalChoice } from '../journal-option.ts';
import { startError } from '../run/start-error.ts';
import { usableKubeConfig } from './usable-kubeconfig.ts';

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
  /** The Secret that the token is waited for in, where it was not given; undefined: it is kept in the data directory. */
  readonly adminTokenSecret: string | undefined;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly log: Log;
  /** Ends the waiting for the admin token. */
  readonly stop: AbortSignal;
}

/** When so many entries have come or gone, reading and compiling them has left more behind than is kept. */
const MANY = 1000;

/** Starts a receiver that follows the cluster's table. Throws CommandError. */
export async function runReceiver(settings: ReceiverSettings): Promise<{ close(): Promise<void> }> {
  const { dataDirectory, log } = settings;
  const kubeConfig = usableKubeConfig(settings.kubeconfig);
  const client = createKubeClient(kubeConfig, Date.now);
  const adminToken = await adminTokenOf(settings, client);
  if (settings.stop.aborted) return { close: () => client.close() };
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

/** What it was given; else what the operator writes into the Secret, as soon as it has. */
async function adminTokenOf(settings: ReceiverSettings, client: KubeClient): Promise<string | undefined> {
  const { adminToken = '', adminTokenSecret, namespace, stop, log } = settings;
  if (adminToken !== '' || adminTokenSecret === undefined) return adminToken;
  const at = { namespace, secret: adminTokenSecret, key: ADMIN_TOKEN_KEY };
  return whenSecretKey({ client, ...at, stop, log, random: Math.random });
}
