import type { EgressPolicy } from '../../receiver/deliver/egress.ts';
import type { Log } from '../../receiver/observe/log.ts';
import type { Tracing } from '../../receiver/observe/tracing.ts';
import { createReceiver, type Receiver } from '../../receiver/receiver.ts';
import type { Address } from '../address.ts';
import type { Bounds } from '../bounds.ts';
import type { Terminal } from '../command.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import type { JournalChoice } from '../journal-option.ts';
import { readPaths, type Snapshot } from '../manifests/files.ts';
import { watchPaths } from '../manifests/watch.ts';
import { manifestRules } from './rules.ts';
import { advance, EMPTY_SESSION, type Session, type SessionRules } from './session.ts';
import { startError } from './start-error.ts';
import { listenerSummary, summary } from './summary.ts';

/** What `signalbox run` was asked to do. */
export interface RunSettings {
  readonly paths: readonly string[];
  readonly dataDirectory: string;
  readonly public: Address;
  readonly cluster: Address;
  readonly admin: Address;
  /** The address that senders use, where it is not the public listener's own. */
  readonly publicUrl: string | undefined;
  readonly resolve: ReadonlyMap<string, string>;
  /** undefined: the one in the data directory, made where there is none. */
  readonly adminToken: string | undefined;
  /** Left out: the embedded one. */
  readonly journal?: JournalChoice | undefined;
  /** Left out: the defaults. */
  readonly bounds?: Bounds;
  /** Base address of the issuer whose tokens `cluster.audience` asks for. */
  readonly issuer?: string | undefined;
  /** Where deliveries may go. */
  readonly egress: EgressPolicy;
  /** Left out: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  readonly log: Log;
}

/** Manifests that run in this process. */
export interface Run {
  /** Base address of the public listener. */
  readonly publicUrl: string;
  /** Stops watching, finishes what is under way and closes the journal. */
  close(): Promise<void>;
}

/**
 * Runs manifests in this process, without Kubernetes, and applies every change of their files. Throws CommandError where
 * nothing in them can be used, or where the receiver cannot start.
 */
export async function runManifests(settings: RunSettings, terminal: Terminal): Promise<Run> {
  const first = await readPaths(settings.paths);
  const receiver = await start(settings, first, terminal);
  const publicUrl = settings.publicUrl ?? receiver.addresses.public;
  const clusterUrl = receiver.addresses.cluster;
  const rules = manifestRules({
    resolve: settings.resolve,
    publicUrl,
    clusterUrl,
    now: Date.now,
    egress: settings.egress,
    knowsIssuer: settings.issuer !== undefined,
  });
  const step = advance(EMPTY_SESSION, first, rules);
  for (const resource of step.foreign)
    terminal.err(`${resource}: passed over, only a cluster runs this kind.`);
  for (const problem of step.problems) terminal.err(problem);
  if (step.table === undefined) {
    await receiver.close();
    throw nothingUsable(settings.paths, step.problems.length + step.foreign.length);
  }
  receiver.apply(step.table);
  terminal.out(listenerSummary(receiver.addresses, settings.dataDirectory));
  terminal.out(summary(step.session.entries, { publicUrl, clusterUrl, troubles: step.troubles }));
  terminal.out('Ready. A changed file is applied at once; Ctrl-C stops.');

  let session: Session = step.session;
  const watch = watchPaths(settings.paths, first, (snapshot) => {
    session = reload(session, snapshot, { receiver, rules, terminal });
  });
  return {
    publicUrl,
    close: async () => {
      watch.close();
      await receiver.close();
    },
  };
}

async function start(settings: RunSettings, first: Snapshot, terminal: Terminal): Promise<Receiver> {
  const { dataDirectory, log } = settings;
  if (first.files.length === 0) {
    for (const problem of first.problems) terminal.err(problem);
    throw nothingUsable(settings.paths, first.problems.length);
  }
  try {
    return await createReceiver({
      dataDirectory,
      public: settings.public,
      cluster: settings.cluster,
      admin: settings.admin,
      ...(settings.adminToken === undefined ? {} : { adminToken: settings.adminToken }),
      ...settings.bounds,
      journal: { ...settings.bounds?.journal, ...settings.journal },
      tracing: settings.tracing,
      ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
      egress: settings.egress,
      log,
      now: Date.now,
      random: Math.random,
    });
  } catch (error) {
    throw startError(error, dataDirectory, settings.journal !== undefined);
  }
}

function reload(
  session: Session,
  snapshot: Snapshot,
  parts: { readonly receiver: Receiver; readonly rules: SessionRules; readonly terminal: Terminal },
): Session {
  const step = advance(session, snapshot, parts.rules);
  for (const problem of step.problems) parts.terminal.err(problem);
  if (step.table !== undefined) {
    parts.receiver.apply(step.table);
    parts.terminal.out(`Applied revision ${step.table.revision}: ${step.changes.join(', ')}.`);
  } else if (step.settled) {
    parts.terminal.out(`Settled, with nothing to apply: revision ${step.session.revision} keeps running.`);
  }
  return step.session;
}

function nothingUsable(paths: readonly string[], told: number): CommandError {
  const remedy =
    told > 0
      ? 'correct what is named above, or give other files with -f'
      : 'give .yaml, .yml or .json files that hold manifests, or a folder of them, with -f';
  return new CommandError(`Nothing in ${paths.join(', ')} can run; ${remedy}.`, EXIT.failed);
}
