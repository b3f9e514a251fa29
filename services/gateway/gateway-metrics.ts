import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expositionOf, mergeExpositions, processRegistry } from '../runtime/metrics/exposition.ts';
import type { EngineSeries } from './engine-series.ts';
import type { OpenRequests } from './open-requests.ts';

/** As those of the middleware that vLLM has. */
const DURATION_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** One response as it ended. */
export interface HttpExchange {
  /** The route's pattern; `none` where there is no such route. */
  readonly handler: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
}

/** The series of a gateway process. */
export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #process = processRegistry();
  readonly #engines: Gauge;
  readonly #engineUp: Gauge;
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #malformed: Counter;
  readonly #slowReaders: Counter;
  readonly #promptTokens: Counter;
  readonly #generatedTokens: Counter;

  constructor() {
    const registers = [this.#registry];
    this.#engines = new Gauge({
      name: 'sohu_gateway_engines',
      help: 'Engines that answered when their series were asked for.',
      registers,
    });
    this.#engineUp = new Gauge({
      name: 'sohu_gateway_engine_up',
      help: 'Whether an engine that answered once answered this time.',
      labelNames: ['engine'],
      registers,
    });
    this.#requests = new Counter({
      name: 'http_requests_total',
      help: 'Responses by route, method and class of status; 4xx counts clients that left.',
      labelNames: ['handler', 'method', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Host time from the headers of a request to the end of its response.',
      labelNames: ['handler', 'method'],
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    });
    this.#malformed = this.#counter('malformed_http', 'Connections that sent what is no HTTP.');
    this.#slowReaders = this.#counter('slow_readers', 'Streams cut because nobody read them.');
    this.#promptTokens = this.#counter('prompt_tokens', 'Prompt tokens of requests that ended.');
    this.#generatedTokens = this.#counter('generated_tokens', 'Generated tokens sent to clients.');
  }

  /** The gateway's own series, and those of the engines that answer. */
  async text(engine: EngineSeries): Promise<string> {
    const { texts, up } = await engine.read();
    this.#engines.set(texts.length);
    for (const [name, isUp] of up) this.#engineUp.set({ engine: name }, Number(isUp));
    const own = await expositionOf([this.#registry, this.#process]);
    return mergeExpositions([...texts, own]);
  }

  /** Names the requests whose number the series show. */
  watch(requests: OpenRequests): void {
    new Gauge({
      name: 'sohu_gateway_open_requests',
      help: 'Generation requests that are being answered.',
      registers: [this.#registry],
      collect() {
        this.set(requests.count);
      },
    });
  }

  answered({ handler, method, status, durationMs }: HttpExchange): void {
    this.#requests.inc({ handler, method, status: `${Math.floor(status / 100)}xx` });
    this.#seconds.observe({ handler, method }, durationMs / 1000);
  }

  malformed(): void {
    this.#malformed.inc();
  }

  slowReaderCut(): void {
    this.#slowReaders.inc();
  }

  /** Counts the tokens of a request that ended. */
  tokens(count: { readonly prompt: number; readonly generated: number }): void {
    this.#promptTokens.inc(count.prompt);
    this.#generatedTokens.inc(count.generated);
  }

  #counter(name: string, help: string): Counter {
    const registers = [this.#registry];
    return new Counter({ name: `sohu_gateway_${name}_total`, help, registers });
  }
}
