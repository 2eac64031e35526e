import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import { fakeTerminal } from './testing/terminal.ts';
import { TRACING_OPTIONS, tracingOf } from './tracing.ts';

const tracing = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  tracingOf(parseOptions(args, TRACING_OPTIONS), fakeTerminal(env));

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

  it.each([
    [['--otlp-endpoint', 'collector'], '--otlp-endpoint collector is no address'],
    [['--trace-ratio', '2'], '--trace-ratio 2 is no part'],
    [['--trace-ratio', 'some'], '--trace-ratio some is no part'],
  ])('is refused where it makes no sense: %s', async (args, message) => {
    await expect(tracing(args)).rejects.toThrow(message);
  });
});
