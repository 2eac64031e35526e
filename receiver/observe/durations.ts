import type { Histogram, Registry } from 'prom-client';

/** A histogram without labels. */
export interface DurationsOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds of the buckets in seconds, ascending. */
  readonly bounds: readonly number[];
}

/**
 * Puts a histogram into the registry and answers what adds a duration in seconds to it. Counted in plain numbers, from
 * which the values are made when somebody scrapes: prom-client's own allocates 300 bytes with each observation, and each
 * event brings two.
 */
export function measureDurations(
  registry: Registry,
  { name, help, bounds }: DurationsOptions,
): (seconds: number) => void {
  const counts = new Float64Array(bounds.length + 1);
  let sum = 0;

  function values() {
    let count = 0;
    const buckets = Array.from(counts, (more, i) => {
      count += more;
      return { metricName: `${name}_bucket`, labels: { le: bounds[i] ?? '+Inf' }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ];
  }

  // All that a registry asks of a metric.
  const metric = {
    name,
    help,
    type: 'histogram',
    get: () => Promise.resolve({ ...metric, values: values() }),
  };
  registry.registerMetric(metric as unknown as Histogram);
  return (seconds) => {
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket += 1;
    counts[bucket] = (counts[bucket] as number) + 1;
    sum += seconds;
  };
}
