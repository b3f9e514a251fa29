import { packageVersion } from '../runtime/package-info.ts';
import type { Engine } from './engine.ts';

/** Spans of generations on their way to a collector. */
export interface SpanExport {
  /** An engine that makes a span of every generation. */
  trace(engine: Engine, modelName: string): Engine;
  /** Resolves when what has ended is sent, or cannot be. */
  close(): Promise<void>;
}

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

/**
 * Sends spans over OTLP/HTTP to where OpenTelemetry's variables of the environment say; undefined, and
 * nothing is loaded, where they say nothing.
 */
export async function startSpanExport(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SpanExport | undefined> {
  if (ENDPOINTS.every((name) => !environment[name])) return undefined;
  const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }, { TracedEngine }] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('./traced-engine.ts'),
    ]);
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': environment.OTEL_SERVICE_NAME || 'sohu-gateway',
      'service.version': packageVersion(),
    }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  const tracer = provider.getTracer('sohu');
  return {
    trace: (engine, modelName) => new TracedEngine(engine, { tracer, modelName }),
    close: () => provider.shutdown().catch(() => {}),
  };
}
