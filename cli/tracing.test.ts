import { describe, expect, it } from 'vitest';
import { createLog } from '../receiver/observe/log.ts';
import { parseOptions } from './options.ts';
import { fakeTerminal } from './testing/terminal.ts';
import { TRACING_OPTIONS, tracingOf } from './tracing.ts';

const logged: string[] = [];
const tracing = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  tracingOf(
    parseOptions(args, TRACING_OPTIONS),
    fakeTerminal(env),
    createLog('warn', { write: (line) => void logged.push(line) }),
  );

describe('what traces', () => {
  it('is nothing unless a collector is named', async () => {
    expect(await tracing([])).toBeUndefined();
    expect(await tracing([], { OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBeUndefined();
    expect(
      await tracing([], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' }),
    ).toBeUndefined();
  });

  it.each([
    [['--otlp-endpoint', 'http://127.0.0.1:9'], {}],
    [[], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }],
    [[], { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:9/v1/traces' }],
  ])('is OpenTelemetry where one is: %j %j', async (args, env) => {
    const found = await tracing(args, env);
    expect(found).toBeDefined();
    await found?.close();
  });

  it('tells the log that the collector is away', async () => {
    const found = await tracing(['--otlp-endpoint', 'http://127.0.0.1:1']);
    found?.received({ headers: {}, entrance: 'WebhookSecret/shop/hooks', at: 1 }).ended({ events: 1 });
    await found?.close().catch(() => undefined);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('the trace collector takes no spans');
    expect(logged[0]).toContain('ECONNREFUSED');
  });

  it.each([
    [['--otlp-endpoint', 'collector'], '--otlp-endpoint collector is no address'],
    [['--trace-ratio', '2'], '--trace-ratio 2 is no part'],
    [['--trace-ratio', 'some'], '--trace-ratio some is no part'],
  ])('is refused where it makes no sense: %s', async (args, message) => {
    await expect(tracing(args)).rejects.toThrow(message);
  });
});
