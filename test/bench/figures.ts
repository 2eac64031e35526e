import type { LoadResult } from './http-load.ts';
import { median, percentile } from './percentile.ts';

/** What one measurement came to. */
export interface Figures {
  readonly perCpuSecond: number;
  /** That, in proportion to raw `node:http` in the same seconds; left out where the load was not what the core could take. */
  readonly ofRaw?: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly endToEnd?: { readonly p50: number; readonly p99: number };
  /** MB of the server when it was over. */
  readonly memory?: number;
}

/** What of a load is told in figures. */
type Load = Pick<LoadResult, 'sent' | 'latencies'>;

/** The figures of a load that cost the server so many CPU-seconds. */
export function figuresOf(result: Load, cpu: number, seconds: number): Figures {
  return {
    perCpuSecond: result.sent / cpu,
    perSecond: result.sent / seconds,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99),
  };
}

/** Several loads as one. */
export function joined(loads: readonly Load[]): Load {
  return {
    sent: loads.reduce((sum, { sent }) => sum + sent, 0),
    latencies: Float64Array.from(loads.flatMap(({ latencies }) => [...latencies])).sort(),
  };
}

/** The median of each figure. */
export function middle(rounds: readonly Figures[]): Figures {
  const of = (pick: (one: Figures) => number | undefined) => median(rounds.flatMap((one) => pick(one) ?? []));
  return {
    perCpuSecond: of((one) => one.perCpuSecond),
    perSecond: of((one) => one.perSecond),
    p50: of((one) => one.p50),
    p99: of((one) => one.p99),
    ...(rounds.some((one) => one.ofRaw !== undefined) ? { ofRaw: of((one) => one.ofRaw) } : {}),
    ...(rounds.some((one) => one.memory !== undefined) ? { memory: of((one) => one.memory) } : {}),
    ...(rounds.some((one) => one.endToEnd !== undefined)
      ? { endToEnd: { p50: of((one) => one.endToEnd?.p50), p99: of((one) => one.endToEnd?.p99) } }
      : {}),
  };
}

/** A row of the table. */
export function row(name: string, one: Figures): string {
  const ends =
    one.endToEnd === undefined ? '–' : `${one.endToEnd.p50.toFixed(1)} / ${one.endToEnd.p99.toFixed(1)}`;
  const cells = [
    name,
    Math.round(one.perCpuSecond),
    one.ofRaw?.toFixed(2) ?? '–',
    Math.round(one.perSecond),
    `${one.p50.toFixed(1)} / ${one.p99.toFixed(1)}`,
    ends,
    one.memory === undefined ? '–' : Math.round(one.memory),
  ];
  return `| ${cells.join(' | ')} |`;
}
