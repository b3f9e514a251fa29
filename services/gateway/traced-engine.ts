import {
  type Attributes,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api';
import type {
  CallOptions,
  CompleteEvent,
  GenerateEvent,
  GenerateRequest,
} from '../client/index.ts';
import { RpcError } from '../client/index.ts';
import type { Engine } from './engine.ts';

const MS_PER_SECOND = 1000;

/**
 * An engine whose generations are spans, with the attributes that OpenTelemetry's conventions for
 * generative AI give a client: one for each prompt, from the question to the last token.
 */
export class TracedEngine implements Engine {
  readonly telemetry: Engine['telemetry'];
  readonly #engine: Engine;
  readonly #tracer: Tracer;
  readonly #modelName: string;

  constructor(
    engine: Engine,
    { tracer, modelName }: { readonly tracer: Tracer; readonly modelName: string },
  ) {
    this.telemetry = engine.telemetry;
    this.#engine = engine;
    this.#tracer = tracer;
    this.#modelName = modelName;
  }

  serverInfo(options?: CallOptions) {
    return this.#engine.serverInfo(options);
  }

  async *generateStream(
    request: GenerateRequest,
    options?: CallOptions,
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    const operation = request.requestId?.startsWith('chatcmpl-') ? 'chat' : 'text_completion';
    const span = this.#tracer.startSpan(`${operation} ${this.#modelName}`, {
      kind: SpanKind.CLIENT,
      attributes: requestAttributes(request, { operation, modelName: this.#modelName }),
    });
    const tally = new SpanTally(span);
    let failure: unknown = new RpcError('CANCELLED', 'the reader left');
    try {
      for await (const event of this.#engine.generateStream(request, options)) {
        tally.take(event);
        yield event;
      }
      failure = undefined;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      tally.end(failure);
    }
  }
}

/** What a span learns from the events of its prompt. */
class SpanTally {
  readonly #span: Span;
  readonly #startMs = performance.now();
  readonly #complete: CompleteEvent[] = [];
  #hasTokens = false;

  constructor(span: Span) {
    this.#span = span;
  }

  take(event: GenerateEvent): void {
    if (event.kind === 'accepted') {
      this.#span.setAttribute('gen_ai.response.id', event.requestId);
      this.#span.setAttribute('gen_ai.usage.input_tokens', event.promptTokens);
    } else if (event.kind === 'complete') this.#complete.push(event);
    else if (event.kind === 'tokens' && !this.#hasTokens) {
      this.#hasTokens = true;
      const seconds = (performance.now() - this.#startMs) / MS_PER_SECOND;
      this.#span.setAttribute('gen_ai.response.time_to_first_chunk', seconds);
    }
  }

  end(failure: unknown): void {
    const { length } = this.#complete;
    const sum = (of: (event: CompleteEvent) => number): number =>
      this.#complete.reduce((total, event) => total + of(event), 0);
    this.#span.setAttributes({
      'gen_ai.response.finish_reasons': this.#complete.map(({ finishReason }) => finishReason),
      'gen_ai.usage.output_tokens': sum(({ usage }) => usage.completionTokens),
      ...(length > 0 && {
        'gen_ai.usage.cache_read.input_tokens': sum(({ usage }) => usage.cachedTokens) / length,
      }),
    });
    if (failure !== undefined) this.#fail(RpcError.from(failure));
    this.#span.end();
  }

  #fail({ code, message }: RpcError): void {
    this.#span.setAttribute('error.type', code);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }
}

function requestAttributes(
  request: GenerateRequest,
  { operation, modelName }: { readonly operation: string; readonly modelName: string },
): Attributes {
  const { maxTokens, temperature, topP, topK, seed, n = 1, stop } = request;
  const stops = typeof stop === 'string' ? [stop] : [...(stop ?? [])];
  const given: Readonly<Record<string, number | string[] | undefined>> = {
    'gen_ai.request.max_tokens': maxTokens,
    'gen_ai.request.temperature': temperature,
    'gen_ai.request.top_p': topP,
    // 0 is all.
    'gen_ai.request.top_k': topK === 0 ? undefined : topK,
    'gen_ai.request.seed': seed,
    'gen_ai.request.choice.count': n === 1 ? undefined : n,
    'gen_ai.request.stop_sequences': stops.length === 0 ? undefined : stops,
  };
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': 'sohu',
    'gen_ai.request.model': modelName,
    'gen_ai.response.model': modelName,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}
