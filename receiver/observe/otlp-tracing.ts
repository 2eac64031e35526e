import {
  type Attributes,
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TraceState,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { ExportWatch } from './export-watch.ts';
import { formatTraceParent, parseTraceParent, type TraceContext, traceContextOf } from './trace-context.ts';
import type { Tracing } from './tracing.ts';

/** Where spans go, and how many. */
export interface OtlpOptions {
  /** Base address of an OTLP/HTTP collector; left out: as OTEL_EXPORTER_OTLP_ENDPOINT and its like say. */
  readonly endpoint?: string;
  /** How much of what no sender traces is traced, from 0 to 1. */
  readonly ratio: number;
  /** How long a batch may take, repeats included; so long, too, does closing wait for a collector that is away. */
  readonly timeoutMs: number;
  readonly exported: ExportWatch;
}

/** Traces by OpenTelemetry. Spans wait in a bounded queue and leave in batches; where it is full they are dropped. */
export function createOtlpTracing({ endpoint, ratio, timeoutMs, exported }: OtlpOptions): Tracing {
  const url = endpoint === undefined ? {} : { url: `${endpoint.replace(/\/$/, '')}/v1/traces` };
  const root = ratio >= 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(ratio);
  const provider = new TracerProvider({
    // What a sender decided to trace is traced, what it left out is left out.
    sampler: new ParentBasedSampler({ root }),
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'signalbox' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: watched(new OTLPTraceExporter({ ...url, timeoutMillis: timeoutMs }), exported),
      }),
    ],
  });
  const tracer = provider.getTracer('signalbox');

  return {
    received({ headers, entrance, at }) {
      const attributes = { 'signalbox.entrance': entrance, 'http.request.method': 'POST' };
      const options = { kind: SpanKind.SERVER, attributes, startTime: at };
      const span = tracer.startSpan(`receive ${entrance}`, options, contextOf(traceContextOf(headers)));
      return {
        context: toldBy(span),
        ended({ events, refused }) {
          span.setAttribute('signalbox.events', events);
          if (refused !== undefined) failed(span, refused);
          span.end();
        },
      };
    },
    attempt({ trigger, delivery, attempt, event, url: to, parent }) {
      const attributes: Attributes = {
        'signalbox.trigger': trigger,
        'signalbox.delivery': delivery,
        'signalbox.attempt': attempt,
        'cloudevents.event_id': event.id,
        'cloudevents.event_source': event.source,
        'cloudevents.event_type': event.type,
        'http.request.method': 'POST',
        'server.address': URL.parse(to)?.host ?? '',
      };
      const options = { kind: SpanKind.CLIENT, attributes };
      const span = tracer.startSpan(`deliver ${trigger}`, options, contextOf(parent));
      return {
        headers: { ...toldBy(span) },
        ended({ status, error }) {
          if (status !== undefined) span.setAttribute('http.response.status_code', status);
          if (error !== undefined) failed(span, error);
          span.end();
        },
      };
    },
    close: () => provider.shutdown(),
  };
}

/** The library tells failures nobody but its own diagnostics, batch by batch. */
function watched(exporter: SpanExporter, exported: ExportWatch): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        exported(spans.length, result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

function contextOf(context: TraceContext | undefined): Context {
  const parent = context === undefined ? undefined : parseTraceParent(context.traceparent);
  if (context === undefined || parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = parent;
  const traceState = stateOf(context);
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: flags & 1,
    isRemote: true,
    ...(traceState === undefined ? {} : { traceState }),
  });
}

function stateOf({ tracestate }: TraceContext): TraceState | undefined {
  return tracestate === undefined ? undefined : createTraceState(tracestate);
}

function toldBy(span: Span): TraceContext {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const traceparent = formatTraceParent({ traceId, spanId, flags: traceFlags });
  const tracestate = traceState?.serialize() ?? '';
  return tracestate === '' ? { traceparent } : { traceparent, tracestate };
}

function failed(span: Span, why: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: why });
}
