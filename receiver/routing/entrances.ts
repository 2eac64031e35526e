import { buildIndex, type Index } from '../match/index.ts';
import { patchIndex } from '../match/patched-index.ts';
import { patchMap } from './patched-map.ts';
import type { RunningTrigger } from './running.ts';
import { buildStreamRoutes, type StreamRoutes } from './stream-routes.ts';
import { entryKey, type TriggerEntry } from './table.ts';

/** What reads from one entrance. */
export interface Readers {
  /** Those that send what they take. */
  readonly index: Index<RunningTrigger>;
  /** The value streams; undefined where there is none. */
  readonly streams: StreamRoutes | undefined;
  /** All that read from it, one by one. */
  list(): readonly RunningTrigger[];
  readonly senders: Senders;
  /** Value streams that read from it. */
  readonly flows: readonly RunningTrigger[];
  /** Value streams that read from it for the sake of their jobs alone. */
  readonly jobs: readonly RunningTrigger[];
}

/** By entrance: `WebhookSecret/ns/name`, `EventBridge/ns/name`, `EventTrigger/ns/name`. */
export type Entrances = ReadonlyMap<string, Readers>;

/** A trigger that came, went or became another. */
export interface TriggerChange {
  readonly before: RunningTrigger | undefined;
  readonly after: RunningTrigger | undefined;
}

/** An index as it was built, with what has changed since beside it. */
interface Senders {
  readonly built: Index<RunningTrigger>;
  readonly members: ReadonlySet<RunningTrigger>;
  readonly gone: ReadonlySet<RunningTrigger>;
  readonly added: readonly RunningTrigger[];
  readonly index: Index<RunningTrigger>;
}

/** What changes at one entrance. */
interface Moves {
  readonly left: Set<RunningTrigger>;
  readonly came: RunningTrigger[];
  readonly leftJobs: Set<RunningTrigger>;
  readonly cameJobs: RunningTrigger[];
}

/** An index with more changes beside it than this is built anew, and so is a small one: two are asked where one was. */
const MOST_BESIDE = { changes: 512, share: 1 / 16 };
const NO_SENDERS = built([]);

/** The entrances after some changes; one where nothing changed is taken over as it is. */
export function changeEntrances(before: Entrances, changes: readonly TriggerChange[]): Entrances {
  const moves = movesOf(changes);
  const changed = [...moves].map(
    ([entrance, moved]) => [entrance, moveAt(entrance, before.get(entrance), moved)] as const,
  );
  return patchMap(before, new Map(changed));
}

/** Every entrance that a trigger reads from. */
export function entrancesOf(entry: TriggerEntry): readonly string[] {
  const { namespace, from } = entry;
  return [
    ...from.webhookSecrets.map((name) => `WebhookSecret/${namespace}/${name}`),
    ...from.eventBridges.map((name) => `EventBridge/${namespace}/${name}`),
    ...(from.cluster === undefined ? [] : [entryKey(entry)]),
  ];
}

function movesOf(changes: readonly TriggerChange[]): ReadonlyMap<string, Moves> {
  const moves = new Map<string, Moves>();
  const at = (entrance: string): Moves => {
    const known = moves.get(entrance) ?? { left: new Set(), came: [], leftJobs: new Set(), cameJobs: [] };
    moves.set(entrance, known);
    return known;
  };
  for (const { before, after } of changes) {
    if (before !== undefined) {
      for (const entrance of entrancesOf(before.entry)) at(entrance).left.add(before);
      for (const entrance of before.stream?.bridges ?? []) at(entrance).leftJobs.add(before);
    }
    if (after !== undefined) {
      for (const entrance of entrancesOf(after.entry)) at(entrance).came.push(after);
      for (const entrance of after.stream?.bridges ?? []) at(entrance).cameJobs.push(after);
    }
  }
  return moves;
}

/** What reads from an entrance after a change; undefined where nothing does any more. */
function moveAt(entrance: string, old: Readers | undefined, moves: Moves): Readers | undefined {
  const { left, came, leftJobs, cameJobs } = moves;
  const senders = moveSenders(
    old?.senders ?? NO_SENDERS,
    left,
    came.filter(({ stream }) => stream === undefined),
  );
  const flows = moved(
    old?.flows ?? [],
    left,
    came.filter(({ stream }) => stream !== undefined),
  );
  const jobs = moved(old?.jobs ?? [], leftJobs, cameJobs);
  if (senders.index.size + flows.length + jobs.length === 0) return undefined;
  const sameStreams = old !== undefined && flows === old.flows && jobs === old.jobs;
  return {
    index: senders.index,
    streams: sameStreams ? old.streams : buildStreamRoutes(entrance, flows, jobs),
    list: () => [...membersOf(senders), ...flows],
    senders,
    flows,
    jobs,
  };
}

/** The same list where nothing in it changes. */
function moved(
  list: readonly RunningTrigger[],
  left: ReadonlySet<RunningTrigger>,
  came: readonly RunningTrigger[],
): readonly RunningTrigger[] {
  const stayed = list.filter((trigger) => !left.has(trigger));
  return stayed.length === list.length && came.length === 0 ? list : [...stayed, ...came];
}

function moveSenders(
  old: Senders,
  left: ReadonlySet<RunningTrigger>,
  came: readonly RunningTrigger[],
): Senders {
  const gone = new Set(old.gone);
  for (const trigger of left) if (old.members.has(trigger)) gone.add(trigger);
  const added = moved(old.added, left, came);
  const { built: base, members } = old;
  const patched = { built: base, members, gone, added, index: base };
  if (gone.size === old.gone.size && added === old.added) return old;
  const most = Math.min(MOST_BESIDE.changes, members.size * MOST_BESIDE.share);
  if (gone.size + added.length > most) return built(membersOf(patched));
  return { ...patched, index: patchIndex(base, gone, added) };
}

function built(members: readonly RunningTrigger[]): Senders {
  const index = buildIndex(members);
  return { built: index, members: new Set(members), gone: new Set(), added: [], index };
}

function membersOf({ members, gone, added }: Senders): readonly RunningTrigger[] {
  return [...members, ...added].filter((trigger) => !gone.has(trigger));
}
