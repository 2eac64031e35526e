import { TRAFFIC_TOTALS, type TrafficCount, type TrafficItem } from '../../receiver/observe/traffic.ts';
import type { InstanceCounts } from '../../receiver/streams/instance-counts.ts';

/** `status.traffic`, as the resources' schema has it. */
export interface TrafficStatus extends Partial<Record<TrafficCount, number>> {
  readonly lastEvent?: string;
  /** Of a value stream, by state. */
  readonly instances?: InstanceCounts;
}

/** Adds up what receivers tell of each resource; what only grows goes on growing when a receiver begins anew or goes. */
export interface Totals {
  /** What a receiver tells now, of all its resources. */
  told(receiver: string, items: readonly TrafficItem[]): void;
  /** The ready receivers: what others told is kept, but for what waits with them. */
  retain(receivers: ReadonlySet<string>): void;
  /** What a status said when this began: totals do not fall behind it. */
  before(resource: string, uid: string, status: TrafficStatus): void;
  forget(resource: string): void;
  /** Resources of which anything is known, with the `uid` that they have. */
  resources(): Iterable<readonly [resource: string, uid: string]>;
  of(resource: string): TrafficStatus | undefined;
}

type Counts = Partial<Record<TrafficCount, number>>;

interface Known {
  readonly uid: string;
  lastEvent: number;
  /** What receivers told that are gone, or began anew. */
  past: Counts;
  readonly now: Map<string, Counts>;
  /** What each receiver finds in its journal. */
  readonly found: Map<string, Found>;
}

/** What is in a journal: receivers of one all count the same. */
interface Found {
  readonly journal: string;
  readonly backlog?: number | undefined;
  readonly instances?: InstanceCounts | undefined;
}

/** Makes totals of nothing. Pure but for its own state. */
export function createTotals(): Totals {
  const known = new Map<string, Known>();

  function knownOf(resource: string, uid: string): Known {
    const found = known.get(resource);
    if (found?.uid === uid) return found;
    const fresh: Known = { uid, lastEvent: 0, past: {}, now: new Map(), found: new Map() };
    known.set(resource, fresh);
    return fresh;
  }

  function sum(one: Known): Counts {
    const total: Counts = { ...one.past };
    for (const counts of one.now.values()) {
      for (const name of TRAFFIC_TOTALS) {
        const count = counts[name];
        if (count !== undefined) total[name] = (total[name] ?? 0) + count;
      }
    }
    return total;
  }

  function leave(one: Known, receiver: string): void {
    const counts = one.now.get(receiver);
    if (counts === undefined) return;
    keep(one, counts);
    one.now.delete(receiver);
    one.found.delete(receiver);
  }

  return {
    told(receiver, items) {
      const met = new Set(items.map(({ resource }) => resource));
      // A receiver that began anew tells nothing of a resource until something passes there.
      for (const [resource, one] of known) if (!met.has(resource)) leave(one, receiver);
      for (const item of items) {
        const { resource, uid, lastEvent = 0, backlog, instances, journal = receiver, ...counts } = item;
        const one = knownOf(resource, uid);
        one.lastEvent = Math.max(one.lastEvent, lastEvent);
        const before = one.now.get(receiver);
        if (before !== undefined && beganAnew(before, counts)) keep(one, before);
        one.now.set(receiver, counts);
        one.found.set(receiver, { journal, backlog, instances });
      }
    },
    retain(receivers) {
      for (const one of known.values()) {
        for (const receiver of one.now.keys()) {
          if (!receivers.has(receiver)) leave(one, receiver);
        }
      }
    },
    before(resource, uid, status) {
      const { lastEvent } = status;
      const one = knownOf(resource, uid);
      one.lastEvent = Math.max(one.lastEvent, Date.parse(lastEvent ?? '') || 0);
      const total = sum(one);
      for (const name of TRAFFIC_TOTALS) {
        const missing = (status[name] ?? 0) - (total[name] ?? 0);
        if (missing > 0) one.past[name] = (one.past[name] ?? 0) + missing;
      }
    },
    forget: (resource) => void known.delete(resource),
    resources: () => [...known].map(([resource, { uid }]) => [resource, uid] as const),
    of(resource) {
      const one = known.get(resource);
      if (one === undefined) return undefined;
      const time = new Date(Math.floor(one.lastEvent / 1000) * 1000).toISOString().replace('.000Z', 'Z');
      const found = [...one.found.values()];
      const instances = addUp(found, (each) => each.instances);
      return {
        ...(one.lastEvent === 0 ? {} : { lastEvent: time }),
        ...sum(one),
        ...addUp(found, ({ backlog }) => (backlog === undefined ? undefined : { backlog })),
        ...(instances === undefined ? {} : { instances }),
      };
    },
  };
}

/** A journal of its own holds what no other holds. Receivers of one all count the same, some a moment later. */
function addUp(
  found: readonly Found[],
  counts: (one: Found) => Readonly<Record<string, number>> | undefined,
): Record<string, number> | undefined {
  let total: Record<string, number> | undefined;
  for (const ofOne of Map.groupBy(found, ({ journal }) => journal).values()) {
    for (const [name, count] of most(ofOne.map((one) => counts(one) ?? {})))
      total = { ...total, [name]: (total?.[name] ?? 0) + count };
  }
  return total;
}

function most(all: readonly Readonly<Record<string, number>>[]): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const counts of all)
    for (const [name, count] of Object.entries(counts)) most.set(name, Math.max(most.get(name) ?? 0, count));
  return most;
}

/** A count that fell tells that the process is another one. */
function beganAnew(before: Counts, now: Counts): boolean {
  return TRAFFIC_TOTALS.some((name) => (now[name] ?? 0) < (before[name] ?? 0));
}

function keep(one: Known, counts: Counts): void {
  const past: Counts = { ...one.past };
  for (const name of TRAFFIC_TOTALS)
    if (counts[name] !== undefined) past[name] = (past[name] ?? 0) + (counts[name] ?? 0);
  one.past = past;
}
