import type { ManifestInput, ManifestPlan, ManifestSecret } from '../../operator/plan/manifests.ts';
import type { Finding } from '../../receiver/errors.ts';
import { type Entry, entryKey, type RoutingTable } from '../../receiver/routing/table.ts';
import { collect, type Resource, type Validate } from '../manifests/collect.ts';
import type { Snapshot } from '../manifests/files.ts';
import { formatFinding } from '../manifests/finding.ts';
import { type Document, parseManifests } from '../manifests/parse.ts';

/** What a running `signalbox run` remembers between two readings of its files. Immutable. */
export interface Session {
  readonly revision: number;
  readonly entries: readonly Entry[];
  /** Each file's last readable documents. */
  readonly documents: ReadonlyMap<string, readonly Document[]>;
  /** Each resource's last valid version, by `Kind/namespace/name`. */
  readonly held: ReadonlyMap<string, HeldResource>;
  /** What the last reading found wrong. */
  readonly problems: readonly string[];
}

interface HeldResource {
  readonly resource: Resource;
  /** Counts the changes of its content, as a cluster's `metadata.generation` does; begins at 1. */
  readonly generation: number;
}

/** What does not change while it runs, and the two judges: the schema and the planner. */
export interface SessionRules {
  readonly validate: Validate;
  readonly plan: (input: ManifestInput) => ManifestPlan;
  /** What of an entry that runs does not work here. */
  readonly notices: (entry: Entry) => readonly Finding[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly settings: Pick<ManifestInput, 'resolve' | 'publicUrl' | 'clusterUrl' | 'egress' | 'check'>;
}

/** What one reading of the files comes to. */
export interface Step {
  readonly session: Session;
  /** The table to run; undefined where nothing in it changed. */
  readonly table: RoutingTable | undefined;
  /** For standard error: one line per finding. */
  readonly problems: readonly string[];
  /** Something that was wrong is right again, nothing new is wrong, and the table is as it was. */
  readonly settled: boolean;
  /** `Kind namespace/name` of resources that are none of ours. */
  readonly foreign: readonly string[];
  /** `namespace/name` of the EventTriggers that do not run, being invalid. */
  readonly idleTriggers: readonly string[];
  /** Why what runs is not as its author wants it, by `Kind/namespace/name`. */
  readonly troubles: ReadonlyMap<string, string>;
  /** `EventTrigger shop/a added`, one per entry that differs from before. */
  readonly changes: readonly string[];
}

/** Before anything was read. */
export const EMPTY_SESSION: Session = {
  revision: 0,
  entries: [],
  documents: new Map(),
  held: new Map(),
  problems: [],
};

/**
 * Reads the files as they lie there now. What cannot be read, does not fit its schema or does not compile keeps the last
 * version that did; what is gone is gone at once.
 */
export function advance(session: Session, snapshot: Snapshot, rules: SessionRules): Step {
  const read = readDocuments(session, snapshot);
  const collection = collect([...read.documents.values()].flat(), rules.validate);
  const held = hold(session, collection);
  const plan = rules.plan({
    ...manifestInput(held),
    broken: collection.broken,
    previous: session.entries,
    now: rules.now(),
    ...rules.settings,
  });
  const changes = entryChanges(session.entries, plan.entries);
  const revision = session.revision + (changes.length > 0 ? 1 : 0);
  // The planner's judges share some checks, so one finding can come twice.
  const problems = unique([
    ...snapshot.problems,
    ...read.problems,
    ...collection.problems,
    ...plan.findings.map(formatFinding),
    ...plan.entries.flatMap((entry) =>
      rules.notices(entry).map((notice) => formatFinding({ ...entry, ...notice })),
    ),
    ...stillServing([...collection.broken], held, plan.entries),
  ]);
  return {
    session: { revision, entries: plan.entries, documents: read.documents, held, problems },
    table: changes.length > 0 ? { version: 1, revision, entries: plan.entries } : undefined,
    problems,
    settled: changes.length === 0 && isSettled(session.problems, problems),
    foreign: collection.foreign,
    idleTriggers: idleTriggers(collection.broken, plan),
    troubles: troublesOf(plan),
    changes,
  };
}

function isSettled(before: readonly string[], now: readonly string[]): boolean {
  return now.length < before.length && now.every((problem) => before.includes(problem));
}

function idleTriggers(broken: ReadonlySet<string>, { outcomes }: ManifestPlan): readonly string[] {
  const refused = [...outcomes].filter(([, { entry }]) => entry === undefined).map(([key]) => key);
  const unfit = [...broken].filter((key) => !outcomes.has(key));
  return [...refused, ...unfit]
    .filter((key) => key.startsWith('EventTrigger/'))
    .map((key) => key.slice('EventTrigger/'.length))
    .sort();
}

function troublesOf({ outcomes }: ManifestPlan): ReadonlyMap<string, string> {
  const troubled = [...outcomes].filter(([, { ready }]) => ready.status !== 'True');
  return new Map(troubled.map(([key, { ready }]) => [key, ready.message]));
}

function readDocuments(
  session: Session,
  snapshot: Snapshot,
): { readonly documents: ReadonlyMap<string, readonly Document[]>; readonly problems: readonly string[] } {
  const documents = new Map<string, readonly Document[]>();
  const problems: string[] = [];
  for (const { path, text } of snapshot.files) {
    const parsed = parseManifests(path, text);
    const before = session.documents.get(path);
    if (parsed.ok) {
      documents.set(path, parsed.documents);
    } else {
      problems.push(
        before === undefined ? parsed.problem : `${parsed.problem} What it held before keeps running.`,
      );
      if (before !== undefined) documents.set(path, before);
    }
  }
  return { documents, problems };
}

function hold(
  session: Session,
  collection: { readonly resources: ReadonlyMap<string, Resource>; readonly broken: ReadonlySet<string> },
): ReadonlyMap<string, HeldResource> {
  const held = new Map<string, HeldResource>();
  for (const [key, resource] of collection.resources) {
    const before = session.held.get(key);
    const same = before !== undefined && JSON.stringify(before.resource) === JSON.stringify(resource);
    held.set(key, same ? before : { resource, generation: (before?.generation ?? 0) + 1 });
  }
  for (const key of collection.broken) {
    const before = session.held.get(key);
    if (before !== undefined && !held.has(key)) held.set(key, before);
  }
  return held;
}

function manifestInput(
  held: ReadonlyMap<string, HeldResource>,
): Pick<ManifestInput, 'webhookSecrets' | 'eventTriggers' | 'eventBridges' | 'secrets'> {
  const all = [...held.values()];
  const objects = (kind: Resource['kind']): unknown[] =>
    all.filter(({ resource }) => resource.kind === kind).map(asStored);
  return {
    webhookSecrets: objects('WebhookSecret') as ManifestInput['webhookSecrets'],
    eventTriggers: objects('EventTrigger') as ManifestInput['eventTriggers'],
    eventBridges: objects('EventBridge') as ManifestInput['eventBridges'],
    secrets: all
      .filter(({ resource }) => resource.kind === 'Secret')
      .map(({ resource: { namespace, name, content } }) => ({
        namespace,
        name,
        data: content as ManifestSecret['data'],
      })),
  };
}

/** The object as an API server would hand it back: with its namespace, a uid and a generation. */
function asStored({ resource, generation }: HeldResource): unknown {
  const { kind, namespace, name } = resource;
  const object = resource.content as Readonly<Record<string, unknown>>;
  const metadata = object['metadata'] as Readonly<Record<string, unknown>> | undefined;
  return {
    ...object,
    metadata: { ...metadata, namespace, name, uid: `${kind}/${namespace}/${name}`, generation },
  };
}

/** Told for each resource whose newest version is not the one that runs. */
function stillServing(
  broken: readonly string[],
  held: ReadonlyMap<string, HeldResource>,
  entries: readonly Entry[],
): readonly string[] {
  const running = new Map(entries.map((entry) => [entryKey(entry), entry]));
  const outdated = [...held].filter(
    ([key, { generation }]) => (running.get(key)?.generation ?? generation) < generation,
  );
  const keys = [...broken.filter((key) => held.has(key)), ...outdated.map(([key]) => key)];
  return unique(keys).map((key) => `${readable(key)}: its last good version keeps running.`);
}

function entryChanges(before: readonly Entry[], now: readonly Entry[]): readonly string[] {
  const old = new Map(before.map((entry) => [entryKey(entry), entry]));
  const next = new Map(now.map((entry) => [entryKey(entry), entry]));
  const changes: string[] = [];
  for (const [key, entry] of next) {
    const was = old.get(key);
    if (was === undefined) changes.push(`${readable(key)} added`);
    else if (was !== entry && JSON.stringify(was) !== JSON.stringify(entry))
      changes.push(`${readable(key)} changed`);
  }
  for (const key of old.keys()) {
    if (!next.has(key)) changes.push(`${readable(key)} removed`);
  }
  return changes;
}

function unique(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)];
}

/** `EventTrigger shop/a` */
function readable(key: string): string {
  return key.replace('/', ' ');
}
