import { entryKey, type RoutingTable } from '../routing/table.ts';
import type { TriggerBacklog } from './trigger-backlog.ts';

/** What passed at one resource since this receiver started; times are milliseconds since the epoch. */
export type TrafficItem = {
  /** `Kind/namespace/name` */
  readonly resource: string;
  readonly uid: string;
  readonly lastEvent?: number;
} & (
  | { readonly accepted: number; readonly rejected: number }
  | { readonly delivered: number; readonly failed: number; readonly backlog: number }
);

/** Counts what passes at each resource of the table in force. */
export interface Traffic {
  /** A new table: what is gone, or is another of the same name, is forgotten. */
  retain(entries: RoutingTable['entries']): void;
  accepted(entrance: string, triggers: readonly string[], at: number): void;
  /** A request did not prove itself. */
  rejected(entrance: string): void;
  ended(trigger: string, state: 'delivered' | 'dead'): void;
  /** Resources at which anything passed, or waits. */
  list(): readonly TrafficItem[];
}

interface Count {
  readonly uid: string;
  lastEvent: number;
  /** Events accepted, or deliveries made. */
  good: number;
  /** Requests rejected, or deliveries that failed for good. */
  bad: number;
}

const TRIGGER = 'EventTrigger/';

/** Makes a count of nothing. */
export function createTraffic(backlog: Pick<TriggerBacklog, 'of'>): Traffic {
  /** Endpoints by entrance, triggers by `namespace/name`: as those who count name them. */
  let endpoints: ReadonlyMap<string, Count> = new Map();
  let triggers: ReadonlyMap<string, Count> = new Map();

  return {
    retain(entries) {
      const keptEndpoints = new Map<string, Count>();
      const keptTriggers = new Map<string, Count>();
      for (const entry of entries) {
        const key = entryKey(entry);
        const { uid } = entry;
        if (entry.kind === 'WebhookSecret') keptEndpoints.set(key, countOf(endpoints.get(key), uid));
        const name = key.slice(TRIGGER.length);
        if (entry.kind === 'EventTrigger') keptTriggers.set(name, countOf(triggers.get(name), uid));
      }
      endpoints = keptEndpoints;
      triggers = keptTriggers;
    },
    accepted(entrance, taken, at) {
      const endpoint = endpoints.get(entrance);
      if (endpoint !== undefined) {
        endpoint.good += 1;
        endpoint.lastEvent = at;
      }
      for (const trigger of taken) {
        const count = triggers.get(trigger);
        if (count !== undefined) count.lastEvent = at;
      }
    },
    rejected(entrance) {
      const endpoint = endpoints.get(entrance);
      if (endpoint !== undefined) endpoint.bad += 1;
    },
    ended(trigger, state) {
      const count = triggers.get(trigger);
      if (count === undefined) return;
      if (state === 'delivered') count.good += 1;
      else count.bad += 1;
    },
    list: () => [
      ...[...endpoints].flatMap(([resource, count]): readonly TrafficItem[] =>
        count.good + count.bad === 0
          ? []
          : [{ ...headOf(resource, count), accepted: count.good, rejected: count.bad }],
      ),
      ...[...triggers].flatMap(([name, count]): readonly TrafficItem[] => {
        const { lastEvent, good, bad } = count;
        const waiting = backlog.of(name);
        if (lastEvent + good + bad + waiting === 0) return [];
        return [{ ...headOf(TRIGGER + name, count), delivered: good, failed: bad, backlog: waiting }];
      }),
    ],
  };
}

/** What is another resource of the same name begins anew. */
function countOf(before: Count | undefined, uid: string): Count {
  return before?.uid === uid ? before : { uid, lastEvent: 0, good: 0, bad: 0 };
}

function headOf(
  resource: string,
  { uid, lastEvent }: Count,
): Pick<TrafficItem, 'resource' | 'uid' | 'lastEvent'> {
  return { resource, uid, ...(lastEvent === 0 ? {} : { lastEvent }) };
}
