import { isStatus } from '../../receiver/kube/api-error.ts';
import { pause } from '../../receiver/kube/backoff.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import type { Log } from '../log.ts';
import { heldBy, type Lease, type LeaseSpec, mayHold, type Observed, released } from './lease.ts';

/** The Lease's name; the chart's Role names it too. */
export const LEASE_NAME = 'signalbox-operator';

/** Between two renewals, and between two looks of one that stands by. */
const RETRY_MS = 2000;
/** A leader that has not renewed for so long stops before another may begin. */
const RENEW_WITHIN_MS = 7000;

export interface ElectorOptions {
  /** One of its own: its requests must not wait behind others. */
  readonly client: KubeClient;
  readonly namespace: string;
  /** Unique among those who stand: the pod's name. */
  readonly identity: string;
  readonly log: Log;
  /** Milliseconds since the epoch: what the Lease is written with, and nothing else. */
  readonly now: () => number;
  /** Milliseconds of a clock that nobody sets: how long a lead holds is taken by it. */
  readonly clock: () => number;
  readonly random: () => number;
}

/** Stands for election by a Lease, again and again. */
export interface Elector {
  /**
   * Calls `lead` whenever this one leads. Its signal ends when the lead is lost or given up; the Lease is let go only
   * when `lead` has ended. Resolves after `stop`.
   */
  run(lead: (lost: AbortSignal) => Promise<void>): Promise<void>;
  stop(): void;
  /** Who leads, as far as is known; '' where nobody does. */
  readonly leader: string;
  /** Why the Lease could not be read or written the last time; undefined: it could. */
  readonly trouble: string | undefined;
}

export function createElector(options: ElectorOptions): Elector {
  const { client, namespace, identity, log, now, clock, random } = options;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const path = `${collection}/${LEASE_NAME}`;
  const stopping = new AbortController();
  let version: string | undefined;
  let observed: Observed = { spec: undefined, since: clock() };
  let trouble: string | undefined;

  function see(lease: Lease | undefined): void {
    if (lease !== undefined && lease.metadata.resourceVersion === version) return;
    version = lease?.metadata.resourceVersion;
    observed = { spec: lease?.spec, since: clock() };
  }

  async function read(signal: AbortSignal): Promise<void> {
    try {
      see(await client.json<Lease>({ path, signal }));
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      see(undefined);
    }
  }

  async function write(spec: LeaseSpec, signal: AbortSignal): Promise<void> {
    const metadata = { name: LEASE_NAME, namespace, ...(version && { resourceVersion: version }) };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    const [method, at] = version === undefined ? (['POST', collection] as const) : (['PUT', path] as const);
    see(await client.json<Lease>({ method, path: at, body, signal }));
  }

  /** Looks at the Lease and writes it where it may be written; whether it is held then. Throws where that is unknown. */
  async function hold(withinMs: number): Promise<boolean> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(Math.max(1, Math.floor(withinMs)))]);
    try {
      // A leader knows its own Lease: one request a renewal.
      if (observed.spec?.holderIdentity !== identity) await read(signal);
      if (!mayHold(observed, identity, clock())) return false;
      await write(heldBy(identity, observed.spec, now()), signal);
      return true;
    } catch (error) {
      if (!isStatus(error, 404, 409)) throw error;
      // Someone else wrote it: their word counts, and is looked at the next time.
      await read(signal);
      return false;
    } finally {
      if (!stopping.signal.aborted) trouble = undefined;
    }
  }

  async function tryToHold(withinMs: number): Promise<boolean | undefined> {
    try {
      return await hold(withinMs);
    } catch (error) {
      if (stopping.signal.aborted) return undefined;
      trouble = (error as Error).message;
      log.warn({ error: trouble, lease: LEASE_NAME }, 'the Lease could not be held, trying again');
      return undefined;
    }
  }

  async function acquired(): Promise<boolean> {
    while (!stopping.signal.aborted) {
      if ((await tryToHold(RENEW_WITHIN_MS)) === true) return true;
      await pause(RETRY_MS * (0.75 + random() / 2), stopping.signal);
    }
    return false;
  }

  /** Renews until the Lease is lost or given up. */
  async function keep(): Promise<void> {
    let renewed = clock();
    while (!stopping.signal.aborted) {
      await pause(RETRY_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      const asked = clock();
      const held = await tryToHold(renewed + RENEW_WITHIN_MS - asked);
      if (held === true) renewed = asked;
      else if (held === false && observed.spec?.holderIdentity !== identity) return;
      else if (clock() - renewed >= RENEW_WITHIN_MS) return;
    }
  }

  async function letGo(): Promise<void> {
    if (observed.spec?.holderIdentity !== identity) return;
    await write(released(observed.spec, now()), AbortSignal.timeout(RETRY_MS)).catch((error: Error) =>
      log.warn({ error: error.message }, 'the Lease could not be let go; it runs out'),
    );
  }

  return {
    async run(lead) {
      while (await acquired()) {
        log.info({ identity, lease: LEASE_NAME }, 'this operator leads');
        const lost = new AbortController();
        const leading = lead(lost.signal).catch((error: unknown) =>
          log.error({ error: String(error) }, 'leading ended with an error'),
        );
        await keep();
        lost.abort();
        await leading;
        if (stopping.signal.aborted) await letGo();
        else log.warn({ leader: observed.spec?.holderIdentity ?? '' }, 'this operator no longer leads');
      }
    },
    stop: () => stopping.abort(),
    get leader() {
      return observed.spec?.holderIdentity ?? '';
    },
    get trouble() {
      return trouble;
    },
  };
}
