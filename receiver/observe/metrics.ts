import { Counter, Gauge, Registry } from 'prom-client';
import type { JournalStats, RowCount } from '../journal/journal.ts';
import { STATUSES } from '../streams/instance.ts';
import { measureDurations } from './durations.ts';
import type { Observer } from './observer.ts';

/** What `/metrics` shows. Labels are of fixed sets: no route, no source, no id. */
export interface Metrics extends Observer {
  readonly registry: Registry;
  /** An attempt at a delivery ended. */
  attempted(kind: 'job' | 'sink', outcome: 'delivered' | 'retried' | 'dead', ms: number): void;
  /** A delivery became a dead letter; `reason` is one of a fixed set. */
  dead(reason: string): void;
}

/** What the gauges read when they are asked. */
export interface Gauges {
  readonly revision: () => number;
  readonly held: () => number;
  readonly untried: () => number;
  readonly stats: () => Promise<JournalStats>;
  readonly instances: () => Promise<readonly Pick<RowCount, 'status' | 'count'>[]>;
  readonly now: () => number;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes the metrics in a registry of their own. */
export function createMetrics(gauges: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // What every event counts, in plain numbers: they become metrics when somebody scrapes.
  const accepted = { routed: 0, unmatched: 0, duplicate: 0 };
  const proved = { first: 0, later: 0 };
  const queued = { count: 0 };
  showCounts(registry, { accepted, proved, queued });
  const rejected = new Counter({
    name: 'signalbox_requests_rejected_total',
    help: 'Requests refused, by the stable error code.',
    labelNames: ['code'],
    registers,
  });
  const differing = new Counter({
    name: 'signalbox_events_differing_total',
    help: 'Repeats of an id whose bytes were not those of the first.',
    registers,
  });
  const commitLatency = measureDurations(registry, {
    name: 'signalbox_journal_commit_seconds',
    help: 'From handing something over to the journal to its being durable.',
    bounds: SECONDS,
  });
  const latency = measureDurations(registry, {
    name: 'signalbox_accept_seconds',
    help: 'From the last byte of a request to its event being durable.',
    bounds: SECONDS,
  });
  const attempts = new Counter({
    name: 'signalbox_delivery_attempts_total',
    help: 'Delivery attempts, by kind of target and outcome.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const attemptLatency = measureDurations(registry, {
    name: 'signalbox_delivery_attempt_seconds',
    help: 'How long a delivery attempt took.',
    bounds: SECONDS,
  });
  const dead = new Counter({
    name: 'signalbox_dead_letters_total',
    help: 'Deliveries that became dead letters, by reason.',
    labelNames: ['reason'],
    registers,
  });
  measureStats(registry, gauges);
  const attemptsOf = attemptCounters(attempts);
  return {
    registry,
    accepted(_entrance, duplicate, triggers, ms) {
      accepted[duplicate ? 'duplicate' : triggers.length > 0 ? 'routed' : 'unmatched'] += 1;
      latency(ms / 1000);
    },
    proved(by) {
      proved[by] += 1;
    },
    committed: (ms) => commitLatency(ms / 1000),
    queued() {
      queued.count += 1;
    },
    repeated({ differs }) {
      if (differs) differing.inc();
    },
    rejected({ code }) {
      rejected.inc({ code });
    },
    attempted(kind, outcome, ms) {
      attemptsOf[kind][outcome].inc();
      attemptLatency(ms / 1000);
    },
    dead(reason) {
      dead.inc({ reason });
    },
  };
}

/** What is counted with every event. */
interface Counts {
  readonly accepted: Readonly<Record<'routed' | 'unmatched' | 'duplicate', number>>;
  readonly proved: Readonly<Record<'first' | 'later', number>>;
  readonly queued: { readonly count: number };
}

function showCounts(registry: Registry, { accepted, proved, queued }: Counts): void {
  const registers = [registry];
  new Counter({
    name: 'signalbox_events_accepted_total',
    help: 'Events accepted, by what became of them: routed, unmatched or duplicate.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(accepted)) this.inc({ outcome }, count);
    },
  });
  new Counter({
    name: 'signalbox_requests_proved_total',
    help: "Requests that proved themselves, by the first of their endpoint's keys or by a later one.",
    labelNames: ['key'],
    registers,
    collect() {
      this.reset();
      for (const [key, count] of Object.entries(proved)) this.inc({ key }, count);
    },
  });
  new Counter({
    name: 'signalbox_deliveries_total',
    help: 'Deliveries that accepted events caused: one for each trigger that took one.',
    registers,
    collect() {
      this.reset();
      this.inc(queued.count);
    },
  });
}

function attemptCounters(attempts: Counter) {
  const of = (kind: string) => ({
    delivered: attempts.labels(kind, 'delivered'),
    retried: attempts.labels(kind, 'retried'),
    dead: attempts.labels(kind, 'dead'),
  });
  return { job: of('job'), sink: of('sink') };
}

/** Gauges that are read when somebody scrapes, so that nothing is counted twice. */
function measureStats(registry: Registry, gauges: Gauges): void {
  const registers = [registry];
  new Gauge({
    name: 'signalbox_routing_revision',
    help: 'The revision of the routing table in force.',
    registers,
    collect() {
      this.set(gauges.revision());
    },
  });
  new Gauge({
    name: 'signalbox_deliveries_held',
    help: 'Deliveries held in memory.',
    registers,
    collect() {
      this.set(gauges.held());
    },
  });
  new Gauge({
    name: 'signalbox_deliveries_untried',
    help: 'Deliveries that were accepted by this process and never tried.',
    registers,
    collect() {
      this.set(gauges.untried());
    },
  });
  new Gauge({
    name: 'signalbox_instances',
    help: 'Instances of value streams in the journal, by state.',
    labelNames: ['state'],
    registers,
    async collect() {
      const counts = new Map(STATUSES.map((status) => [status as string, 0]));
      for (const { status, count } of await gauges.instances())
        counts.set(status, (counts.get(status) ?? 0) + count);
      for (const [status, count] of counts) this.set({ state: status.toLowerCase() }, count);
    },
  });
  const age = new Gauge({
    name: 'signalbox_backlog_age_seconds',
    help: 'Age of the oldest event that has an undone delivery.',
    registers,
  });
  const deadStored = new Gauge({
    name: 'signalbox_dead_letters',
    help: 'Dead letters in the journal.',
    registers,
  });
  const bytes = new Gauge({
    name: 'signalbox_journal_bytes',
    help: 'Size of the journal on disk.',
    registers,
  });
  new Gauge({
    name: 'signalbox_backlog',
    help: 'Deliveries that wait or are parked.',
    registers,
    async collect() {
      const stats = await gauges.stats();
      this.set(stats.backlog);
      age.set(stats.oldest === undefined ? 0 : Math.max(0, gauges.now() - stats.oldest) / 1000);
      deadStored.set(stats.dead);
      bytes.set(stats.bytes);
    },
  });
}
