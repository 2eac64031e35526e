import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { QueueObserver } from '../queue.ts';
import type { ReadyCount } from './ready-counts.ts';

/** What the gauges read when they are asked; zeros where this operator does not lead. */
export interface OperatorFacts {
  readonly leads: boolean;
  readonly waiting: number;
  readonly revision: number;
  readonly staleMs: number;
  readonly resources: readonly ReadyCount[];
}

/** What `/metrics` of the operator shows. Labels are of fixed sets. */
export interface OperatorMetrics {
  readonly registry: Registry;
  readonly queue: QueueObserver;
  /** The API server answered; 0 where it did not. */
  answered(method: string, status: number): void;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Makes the metrics in a registry of their own. */
export function createOperatorMetrics(facts: () => OperatorFacts): OperatorMetrics {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, read: (facts: OperatorFacts) => number): void => {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read(facts())) });
  };
  gauge('signalbox_operator_leads', '1 where this operator leads, 0 where it stands by.', ({ leads }) =>
    leads ? 1 : 0,
  );
  gauge('signalbox_operator_queue_length', 'Resources that wait to be looked at.', ({ waiting }) => waiting);
  gauge('signalbox_operator_revision', 'Revision of the routing table.', ({ revision }) => revision);
  gauge(
    'signalbox_operator_stale_seconds',
    'Since the API server last said anything, of the watch that heard least.',
    ({ staleMs }) => (Number.isFinite(staleMs) ? staleMs / 1000 : 0),
  );
  const resources: Gauge<'kind' | 'ready'> = new Gauge({
    name: 'signalbox_operator_resources',
    help: 'Resources by kind and by the status of Ready.',
    labelNames: ['kind', 'ready'],
    registers,
    collect() {
      resources.reset();
      for (const { kind, ready, count } of facts().resources) resources.set({ kind, ready }, count);
    },
  });
  const waited = new Histogram({
    name: 'signalbox_operator_queue_seconds',
    help: 'How long a resource waited to be looked at.',
    buckets: SECONDS,
    registers,
  });
  const reconciles = new Histogram({
    name: 'signalbox_operator_reconcile_seconds',
    help: 'How long a look at a resource took, the write of the table and of its status included.',
    labelNames: ['kind', 'outcome'],
    buckets: SECONDS,
    registers,
  });
  const requests = new Counter({
    name: 'signalbox_operator_api_requests_total',
    help: 'Requests to the API server, by method and status; 0: no answer.',
    labelNames: ['method', 'status'],
    registers,
  });
  return {
    registry,
    queue: {
      waited: (ms) => waited.observe(ms / 1000),
      worked(key, ms, ok) {
        const kind = key.slice(0, key.indexOf('/'));
        reconciles.observe({ kind, outcome: ok ? 'ok' : 'error' }, ms / 1000);
      },
    },
    answered: (method, status) => requests.inc({ method, status: String(status) }),
  };
}
