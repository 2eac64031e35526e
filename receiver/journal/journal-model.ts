import type {
  DeliveryState,
  NewDelivery,
  RowCount,
  RowWrite,
  Settlement,
  StateRow,
  Unit,
  UnitOutcome,
} from './journal.ts';

interface ModelDelivery {
  readonly id: number;
  readonly trigger: string;
  readonly line: string | undefined;
  state: DeliveryState;
  /** Waits behind another of its line. */
  behind: boolean;
  due: number;
  held: boolean;
  attempts: number;
}

/** What a journal must do, as plainly as it can be said: everything in maps, nothing durable. For tests. */
export function createModel() {
  const keys = new Map<string, { fingerprint: string; answer: string; expiresAt: number }>();
  const deliveries = new Map<number, ModelDelivery>();
  const rows = new Map<string, StateRow>();

  function seen({ unseen, event }: Unit): UnitOutcome | undefined {
    if (unseen === undefined || event === undefined) return undefined;
    const earlier = keys.get(hex(unseen.key));
    if (earlier === undefined || earlier.expiresAt <= event.receivedAt) return undefined;
    const differs = earlier.fingerprint !== hex(unseen.fingerprint);
    return { outcome: 'seen', answer: earlier.answer, differs };
  }

  function conflict({ rows: writes = [] }: Unit): UnitOutcome | undefined {
    const row = writes.findIndex(
      ({ kind, id, expect }) => (rows.get(`${kind}\n${id}`)?.version ?? 0) !== expect,
    );
    return row < 0 ? undefined : { outcome: 'conflict', row };
  }

  function writeRow(write: RowWrite): void {
    const name = `${write.kind}\n${write.id}`;
    if ('check' in write) return;
    if ('remove' in write) {
      rows.delete(name);
      return;
    }
    const { kind, id, at, owner, status, body, due, expiresAt } = write;
    const earlier = rows.get(name);
    rows.set(name, {
      kind,
      id,
      version: (earlier?.version ?? 0) + 1,
      owner,
      status,
      body,
      ...(due === undefined ? {} : { due }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      createdAt: earlier?.createdAt ?? at,
      changedAt: at,
    });
  }

  function add(id: number, { trigger, due, held, parked, line }: NewDelivery): void {
    const state = parked === undefined ? 'waiting' : 'parked';
    deliveries.set(id, { id, trigger, line, state, behind: line !== undefined, due, held, attempts: 0 });
    advance(trigger, line);
  }

  /** The first of a line takes its place, if nothing else of it is out. */
  function advance(trigger: string, line: string | undefined): void {
    if (line === undefined) return;
    const all = [...deliveries.values()].filter(
      (each) => each.trigger === trigger && each.line === line && undone(each),
    );
    if (all.some(({ state, behind }) => state === 'waiting' && !behind)) return;
    const first = all.sort((a, b) => a.id - b.id)[0];
    if (first?.state === 'waiting') first.behind = false;
  }

  const settled: {
    [S in DeliveryState]: (delivery: ModelDelivery, settlement: Extract<Settlement, { state: S }>) => void;
  } = {
    waiting(delivery, { due, attempt }) {
      if (delivery.state === 'delivered') return;
      const attempts = delivery.state === 'dead' ? 0 : delivery.attempts + (attempt === undefined ? 0 : 1);
      const out = delivery.state === 'waiting' && !delivery.behind;
      const behind = delivery.line !== undefined && !out;
      Object.assign(delivery, { state: 'waiting', due, held: false, attempts, behind });
    },
    parked(delivery) {
      if (undone(delivery)) Object.assign(delivery, { state: 'parked', held: false });
    },
    delivered(delivery) {
      if (undone(delivery)) delivery.state = 'delivered';
    },
    dead(delivery) {
      if (undone(delivery)) delivery.state = 'dead';
    },
  };

  function settle(settlement: Settlement): void {
    const delivery = deliveries.get(settlement.delivery);
    if (delivery === undefined) return;
    settled[settlement.state](delivery, settlement as never);
    advance(delivery.trigger, delivery.line);
  }

  /** What a claim may give, now or later. */
  function free(except: readonly string[]) {
    return [...deliveries.values()].filter(
      ({ state, held, behind, trigger }) =>
        state === 'waiting' && !held && !behind && !except.includes(trigger),
    );
  }

  return {
    /** Carries a unit out; `outcome` is what the journal answered, of which only the numbers are taken. */
    carryOut(unit: Unit, outcome: UnitOutcome | undefined): UnitOutcome | 'committed' {
      const refused = seen(unit) ?? conflict(unit);
      if (refused !== undefined) return refused;
      const { unseen, answer } = unit;
      if (unseen?.occupy === true) {
        const { expiresAt } = unseen;
        keys.set(hex(unseen.key), { fingerprint: hex(unseen.fingerprint), answer, expiresAt });
      }
      for (const write of unit.rows ?? []) writeRow(write);
      const ids = outcome?.outcome === 'committed' ? outcome.deliveries : [];
      for (const [i, each] of unit.deliveries.entries()) add(ids[i] ?? 0, each);
      for (const each of unit.settlements ?? []) settle(each);
      return 'committed';
    },
    settle,
    /** What a claim may give, in order of id. */
    due(now: number, except: readonly string[]): { id: number; trigger: string; attempts: number }[] {
      return free(except)
        .filter(({ due }) => due <= now)
        .map(({ id, trigger, attempts }) => ({ id, trigger, attempts }))
        .sort((a, b) => a.id - b.id);
    },
    /** A claim gave it. */
    hold(id: number): void {
      const delivery = deliveries.get(id);
      if (delivery !== undefined) delivery.held = true;
    },
    /** When the earliest is due that a claim may give, now or later. */
    nextDue(except: readonly string[]): number | undefined {
      const earliest = Math.min(...free(except).map(({ due }) => due));
      return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
    },
    release(trigger: string, now: number): number {
      const parked = [...deliveries.values()].filter(
        (each) => each.state === 'parked' && each.trigger === trigger,
      );
      for (const each of parked) {
        Object.assign(each, { state: 'waiting', due: now, behind: each.line !== undefined });
      }
      for (const each of parked) advance(trigger, each.line);
      return parked.length;
    },
    restart(): void {
      for (const each of deliveries.values()) each.held = false;
    },
    /** State by id, newest first. */
    states(): [number, DeliveryState][] {
      return [...deliveries]
        .map(([id, { state }]): [number, DeliveryState] => [id, state])
        .sort(([a], [b]) => b - a);
    },
    count: (state: DeliveryState): number =>
      [...deliveries.values()].filter((each) => each.state === state).length,
    row: (kind: string, id: string): StateRow | undefined => rows.get(`${kind}\n${id}`),
    rows: (kind: string): StateRow[] => [...rows.values()].filter((row) => row.kind === kind),
    counts(kind: string): RowCount[] {
      const counts = new Map<string, RowCount>();
      for (const { owner, status } of this.rows(kind)) {
        const name = `${owner} ${status}`;
        counts.set(name, { owner, status, count: (counts.get(name)?.count ?? 0) + 1 });
      }
      return [...counts.values()];
    },
    prune(now: number): void {
      for (const [name, { expiresAt }] of rows)
        if (expiresAt !== undefined && expiresAt <= now) rows.delete(name);
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function undone({ state }: ModelDelivery): boolean {
  return state === 'waiting' || state === 'parked';
}
