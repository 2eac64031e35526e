import { isStatus } from '../receiver/kube/api-error.ts';
import type { Entry } from '../receiver/routing/table.ts';
import type { Confirmation, Confirmer } from './confirm/confirmer.ts';
import type { Dependents } from './gather/dependents.ts';
import { type Gathered, gather, type Sources, unplanned } from './gather/gather.ts';
import { BEARER_TOKENS, sourceKey } from './gather/needs.ts';
import type { MakeSecrets } from './kube/make-secrets.ts';
import { heldTokens } from './plan/bearer-tokens.ts';
import type { Outcome, PlannedStatus } from './plan/outcome.ts';
import { withoutUndefined } from './plan/without-undefined.ts';
import type { Published, Publisher } from './publish/publisher.ts';
import { createRoom } from './room.ts';
import type { OwnStatus } from './status.ts';
import type { StatusWriter } from './status-writer.ts';

/** How long the receivers may take for a revision before the status says that they do. */
const PATIENCE_MS = 2000;
/**
 * Resources that are looked at, or whose status is being written, before others wait to be looked at: each holds all that
 * its plan was made of, and the API server writes no faster for ten times as many.
 */
const HOLDING = 64;
/** A timer may come a moment before the clock says so. */
const LATE_MS = 10;

export interface ReconcileOptions {
  readonly sources: Sources;
  readonly publisher: Publisher;
  readonly confirmer: Confirmer;
  readonly statusWriter: StatusWriter;
  readonly dependents: Dependents;
  /** Makes the Secrets that `spec.generate` asks for. */
  readonly makeSecrets: MakeSecrets;
  /** Has keys looked at again, now or later. */
  readonly again: (key: string, ms?: number) => void;
  /** Everything is looked at again so often, in milliseconds. */
  readonly resyncMs: number;
  readonly now: () => number;
}

/** Brings one resource's entry and status to what they should be. */
export interface Reconciler {
  /** `Kind/namespace/name`. Throws where the API server does not let it: the key is to come again. */
  reconcile(key: string): Promise<void>;
  /** Brings one resource's entry into a table that is held back, and leaves its status for later. Never throws. */
  prime(key: string): Promise<void>;
  /** The receivers are further, or others: whoever is now in another state than was told is looked at again. */
  receiversMoved(): void;
}

interface Planned {
  readonly gathered: Gathered | undefined;
  readonly outcome: Outcome | undefined;
  readonly published: Promise<Published>;
}

interface Told {
  readonly revision: number;
  /** When this revision was first asked for. */
  readonly since: number;
  /** What the status tells of the receivers; undefined while they still have time. */
  readonly state: Confirmation['state'] | undefined;
}

export function createReconciler(options: ReconcileOptions): Reconciler {
  const { sources, publisher, confirmer, statusWriter, dependents, again, now } = options;
  const room = createRoom(HOLDING);
  const told = new Map<string, Told>();
  /** Those of them whose receivers were behind, or still had time. */
  const behind = new Set<string>();
  /** When plans end by themselves that were put down to be looked at again then. */
  const ends = new Map<string, number>();
  /** What all receivers ran when they last moved. */
  let common = -Infinity;

  function tell(key: string, now: Told): void {
    told.set(key, now);
    if (now.state === 'Live') behind.delete(key);
    else behind.add(key);
  }

  function untell(key: string): void {
    told.delete(key);
    behind.delete(key);
    ends.delete(key);
  }

  /** An end that is farther off than the next resync is put down by that. */
  function lookAgainAt(until: number, key: string): void {
    if (until - now() > options.resyncMs || ends.get(key) === until) return;
    ends.set(key, until);
    again(key, Math.max(0, until - now()) + LATE_MS);
  }

  async function reconcile(key: string): Promise<void> {
    const { gathered, outcome, published } = await room.whenFree(() => plan(key));
    const { revision, full } = await published;
    if (gathered === undefined || outcome === undefined) return forget(key);
    if (outcome.until !== undefined) lookAgainAt(outcome.until, key);
    const confirmation = confirmer.state(revision);
    const matters = outcome.ready.status === 'True' && !full;
    if (matters && stillHasTime(key, revision, confirmation.state)) return;
    const findings = { outcome, confirmation, ...(full ? { full: serving(key) } : {}) };
    await room.atOnce(() => statusWriter.write(gathered, findings));
    tell(key, { revision, since: now(), state: confirmation.state });
    // Receivers that moved while it was written found the key told as it was before.
    if (confirmer.state(revision).state !== confirmation.state) again(key);
    // Last, so that one that cannot be made holds nothing else up. That it came is told by the watch of Secrets.
    if (outcome.toMake !== undefined) await options.makeSecrets(gathered, outcome.toMake);
  }

  /** What the resource comes to, on its way into the table. */
  async function plan(key: string): Promise<Planned> {
    const gathered = await gather(sources, key, (things) => dependents.set(key, things)).catch(
      async (error: unknown) => {
        if (isStatus(error, 403)) await tellForbidden(key, error as Error);
        throw error;
      },
    );
    const outcome = gathered?.plan(publisher);
    return { gathered, outcome, published: publish(key, outcome?.entry) };
  }

  /** What served before serves on; only the status says what the operator lacks. */
  async function tellForbidden(key: string, { message }: Error): Promise<void> {
    const gathered = unplanned(sources.world, key);
    if (gathered === undefined) return;
    const ready = {
      type: 'Ready',
      status: 'False',
      reason: 'Forbidden',
      message: `the operator may not read what the spec names: ${message}: give its role that rule`,
    } as const;
    const { conditions, status } = keptStatus(gathered.resource.status as Partial<OwnStatus> | undefined);
    const outcome = { entry: publisher.get(key), ready, conditions, findings: [], status };
    await statusWriter.write(gathered, { outcome, confirmation: { state: 'Live' } });
    untell(key);
  }

  /** Starts on the spot: nothing may come after the plan, or two WebhookSecrets could take one source. */
  function publish(key: string, entry: Entry | undefined): Promise<Published> {
    const before = publisher.get(key);
    const published = publisher.publish(key, entry);
    const freed = before?.kind === 'WebhookSecret' ? before.source : undefined;
    if (freed !== undefined && publisher.holderOf(freed) === undefined) {
      for (const claimer of dependents.of(sourceKey(freed))) again(claimer);
    }
    const tokens = before?.kind === 'WebhookSecret' ? heldTokens(before) : [];
    if (tokens.some((digest) => publisher.tokenHolderOf(digest) === undefined)) {
      for (const claimer of dependents.of(BEARER_TOKENS)) again(claimer);
    }
    return published;
  }

  /**
   * Receivers that run a revision within moments, or are back within moments, need not be told of. What the status
   * told before of this revision goes on being told.
   */
  function stillHasTime(key: string, revision: number, state: Confirmation['state']): boolean {
    const before = told.get(key);
    if (state === 'Live' || isTold(before, revision)) return false;
    if (state === 'NoReceiver' && before === undefined) return false;
    const running = before?.revision === revision && before.state === undefined;
    const since = running ? before.since : now();
    const left = since + PATIENCE_MS - now();
    if (left <= 0) return false;
    tell(key, { revision, since, state: undefined });
    again(key, left);
    return true;
  }

  function serving(key: string): { readonly servingGeneration: number | undefined } {
    return { servingGeneration: publisher.get(key)?.generation };
  }

  function forget(key: string): void {
    untell(key);
    dependents.set(key, []);
    publisher.forget(key);
    statusWriter.forget(key);
    sources.keyUses.forget(key);
  }

  return {
    reconcile,
    async prime(key) {
      try {
        const gathered = await gather(sources, key, (things) => dependents.set(key, things));
        const entry = gathered?.plan(publisher).entry;
        publish(key, entry).catch(() => undefined);
      } catch {
        // What could not be read is told by its reconcile.
      }
    },
    receiversMoved() {
      const before = common;
      common = confirmer.common;
      // Who runs everywhere goes on doing so while no receiver falls back.
      for (const key of common >= before ? behind : told.keys()) {
        const one = told.get(key);
        if (one === undefined) continue;
        const now = confirmer.state(one.revision).state;
        if (one.state === undefined ? now === 'Live' : now !== one.state) again(key);
      }
    },
  };
}

/** Whether the status tells already that this revision does not run everywhere. */
function isTold(before: Told | undefined, revision: number): boolean {
  return before?.revision === revision && before.state !== undefined && before.state !== 'Live';
}

/** What a status tells beside Ready, to be told again. */
function keptStatus(status: Partial<OwnStatus> | undefined): Pick<Outcome, 'conditions' | 'status'> {
  const { conditions = [], observedGeneration: _, ...rest } = status ?? {};
  const beside = conditions.filter(({ type }) => type !== 'Ready');
  const { servingGeneration, source, url, address, targetUri, deadLetterSinkUri, keys } = rest;
  return {
    conditions: beside.map(({ type, status: is, reason, message }) => ({
      type,
      status: is,
      reason,
      message,
    })),
    status: withoutUndefined<PlannedStatus>({
      servingGeneration,
      source,
      url,
      address,
      targetUri,
      deadLetterSinkUri,
      keys,
    }),
  };
}
