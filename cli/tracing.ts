import { createExportWatch } from '../receiver/observe/export-watch.ts';
import type { Log } from '../receiver/observe/log.ts';
import type { Tracing } from '../receiver/observe/tracing.ts';
import type { Terminal } from './command.ts';
import { UsageError } from './exit-codes.ts';
import type { Option, Parsed } from './options.ts';
import { isHttpUrl } from './run/resolve.ts';

/** Where traces go; without any of it nothing is traced. */
export const TRACING_OPTIONS: readonly Option[] = [
  {
    name: 'otlp-endpoint',
    value: 'URL',
    help: 'Send traces to this OpenTelemetry collector, OTLP over HTTP.\nDefault: OTEL_EXPORTER_OTLP_ENDPOINT, else none',
  },
  {
    name: 'trace-ratio',
    value: 'N',
    help: 'How much is traced of what no sender traces, from 0 to 1. Default: 1',
  },
];

/** A collector is near, or it is not there: a stopping receiver does not wait long for it. */
const TIMEOUT_MS = 2000;

/**
 * What traces as the options and the environment say; loaded only where something does. That the collector is away is told
 * to `log`. Throws UsageError.
 */
export async function tracingOf(parsed: Parsed, { env }: Terminal, log: Log): Promise<Tracing | undefined> {
  const endpoint = parsed.text('otlp-endpoint');
  if (endpoint !== undefined && !isHttpUrl(endpoint))
    throw new UsageError(
      `--otlp-endpoint ${endpoint} is no address; write one such as http://127.0.0.1:4318.`,
    );
  const ratio = Number(parsed.text('trace-ratio') ?? 1);
  if (!(ratio >= 0 && ratio <= 1))
    throw new UsageError(`--trace-ratio ${parsed.text('trace-ratio') ?? ''} is no part; write 0 to 1.`);
  const named = [env['OTEL_EXPORTER_OTLP_ENDPOINT'], env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']];
  if (endpoint === undefined && named.every((url) => url === undefined || url === '')) return undefined;
  if (env['OTEL_SDK_DISABLED'] === 'true') return undefined;
  const { createOtlpTracing } = await import('../receiver/observe/otlp-tracing.ts');
  const timeoutMs = Number(env['OTEL_EXPORTER_OTLP_TIMEOUT']) || TIMEOUT_MS;
  const exported = createExportWatch({ log, now: Date.now });
  return createOtlpTracing({ ratio, timeoutMs, exported, ...(endpoint === undefined ? {} : { endpoint }) });
}
