import type { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { GroupSpec } from '../../cluster/messages.ts';
import type { GrammarCompiler } from '../../core/grammar/grammar.ts';
import type { GenerationRequest, RequestProgress, Sequence } from '../../core/scheduler/request.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { decodeTokens } from '../../core/text/text-stream.ts';
import { IDEAL_SOFTWARE } from '../../core/timing/software-version.ts';
import type { InferenceEngine } from '../../rpc/inference-service.ts';
import type {
  DetokenizeInput,
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  ServerInfo,
} from '../../rpc/inference-types.ts';
import { overloaded } from '../../rpc/overloaded.ts';
import { RpcError } from '../../rpc/status.ts';
import type { EndReason } from '../../rpc/telemetry-types.ts';
import type { ServedGroup } from '../cluster/served-group.ts';
import type { PhantomSettings } from '../options/resolve-serving.ts';
import { hostMicros } from '../support/host-clock.ts';
import { describeChips } from './describe-chips.ts';
import { Generation } from './generation.ts';
import { KvEventLog } from './kv-event-log.ts';
import { isSameRequest, resumeSamples } from './resume-samples.ts';
import { checkTokenIds, type RequestLimits, toGenerationRequest } from './to-generation-request.ts';

export interface ClusterEngineOptions {
  readonly coordinator: Coordinator;
  readonly group: Pick<ServedGroup, 'config' | 'tokenizer' | 'modelName' | 'chip'> & {
    readonly spec: Pick<GroupSpec, 'precision' | 'kvCacheDtype' | 'tensorParallel' | 'maxNumSeqs'>;
  };
  /** Undefined where the chips hold weights. */
  readonly phantom: PhantomSettings | undefined;
  /** The same that the coordinator has. */
  readonly grammars: GrammarCompiler;
  readonly maxModelLen: number;
  readonly version: string;
  readonly observer: RequestObserver;
}

/** Hears of requests what their clients do. */
export interface RequestObserver {
  /** A request is queued, one sequence for each sample, which came at that moment of host time. */
  arrived(sequences: readonly Sequence[], arrivalMicros: number): void;
  /** A sample is over; told once. */
  ended(sequence: Sequence, reason: EndReason): void;
}

/** Serves generations from a coordinator: text in, events out. */
export class ClusterEngine implements InferenceEngine {
  readonly #options: ClusterEngineOptions;
  readonly #limits: RequestLimits;
  readonly #generations = new Map<Sequence, Generation>();
  readonly #kvEvents = new KvEventLog();
  #kvBlocks = 0;

  constructor(options: ClusterEngineOptions) {
    const { group, maxModelLen, grammars, phantom } = options;
    const { tokenizer, config } = group;
    this.#options = options;
    const { vocabSize, stopTokenIds: eosTokenIds } = config;
    const isPhantom = phantom !== undefined;
    this.#limits = { tokenizer, vocabSize, eosTokenIds, maxModelLen, grammars, isPhantom };
  }

  /** Takes what happened in the group. */
  observe(event: CoordinatorEvent): void {
    if (event.kind === 'ready') this.#kvBlocks = event.kvBlocks;
    if (event.kind === 'promptLogprobs') this.#generations.get(event.sequence)?.takePrompt(event);
    if (event.kind === 'token') this.#takeToken(event);
    if (event.kind === 'kvEvents') this.#kvEvents.append(event.events);
    if (event.kind === 'requestFailed') {
      const code = event.isAtFault ? 'FAILED_PRECONDITION' : 'UNAVAILABLE';
      const error = new RpcError(code, event.message);
      this.#generations.get(event.sequence)?.events.fail(error);
      this.#close(event.sequence, 'error');
    }
  }

  async *generate(input: GenerateInput, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const generation = this.#start(input);
    const abort = (): void => {
      generation.events.fail(RpcError.fromAbort(signal.reason));
      this.#forgetAll(generation);
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      yield* generation.events;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#forgetAll(generation);
    }
  }

  abort(requestIds: readonly string[]): number {
    const names = new Set(requestIds);
    const open = new Set(this.#generations.values());
    const wanted = [...open].filter(({ request }) => names.has(request.requestId));
    for (const generation of wanted) {
      // In this order a token that is on its way finds nobody.
      this.#forgetAll(generation);
      generation.abort();
    }
    return wanted.length;
  }

  tokenize(text: string): readonly number[] {
    return this.#options.group.tokenizer.encode(text);
  }

  detokenize({ tokenIds, previousTokenId }: DetokenizeInput): string {
    const { tokenizer, config } = this.#options.group;
    checkTokenIds('token_ids', tokenIds, config.vocabSize);
    if (previousTokenId !== undefined) {
      checkTokenIds('previous_token_id', [previousTokenId], config.vocabSize);
    }
    return decodeTokens(tokenizer, tokenIds, previousTokenId);
  }

  kvEvents(start: number | undefined, signal: AbortSignal): AsyncIterable<KvEventBatch> {
    return this.#kvEvents.read(start, signal);
  }

  serverInfo(): ServerInfo {
    const { group, phantom, coordinator } = this.#options;
    const { config, spec, chip } = group;
    return {
      modelName: group.modelName,
      precision: spec.precision,
      tensorParallelSize: spec.tensorParallel,
      serverType: 'sohu-emulator',
      version: this.#options.version,
      maxContextLength: this.#options.maxModelLen,
      vocabSize: config.vocabSize,
      eosTokenIds: config.stopTokenIds,
      kvBlocks: this.#kvBlocks,
      maxNumSeqs: spec.maxNumSeqs,
      weights: phantom === undefined ? 'checkpoint' : 'phantom',
      chip: chip.name,
      software: phantom?.software ?? IDEAL_SOFTWARE,
      speed: phantom?.speed ?? 0,
      chips: describeChips(coordinator, chip),
    };
  }

  #start(input: GenerateInput): Generation {
    const { tokenizer, config, modelName, spec } = this.#options.group;
    const weights = this.#options.phantom === undefined ? [] : ['phantom'];
    const model = [modelName, spec.precision, spec.kvCacheDtype, ...weights].join(' ');
    const { stop, includeStopStrInOutput } = input.sampling;
    const options = {
      ...{ tokenizer, stop, includeStopStrInOutput },
      eosTokenIds: config.stopTokenIds,
    };
    const arrivalMicros = hostMicros();
    const request = toGenerationRequest(input, this.#limits);
    const resumed =
      input.resumption && resumeSamples(request, input.resumption, { ...this.#limits, options });
    if (resumed !== undefined) this.#giveUpFor(request);
    const sequences = this.#submit(request, resumed?.progress);
    const generation = new Generation({ request, model, sequences, resumed, ...options });
    for (const sequence of sequences) this.#generations.set(sequence, generation);
    if (sequences.length > 0) this.#options.observer.arrived(sequences, arrivalMicros);
    return generation;
  }

  /** Ends an older stream of the same request: its client has left it for a new one. */
  #giveUpFor(request: GenerationRequest): void {
    for (const generation of new Set(this.#generations.values())) {
      if (!isSameRequest(generation.request, request)) continue;
      generation.events.fail(new RpcError('ABORTED', 'the request goes on in another stream'));
      this.#forgetAll(generation);
    }
  }

  /**
   * A sample that a stop string ends is forgotten at once: the coordinator begins its next step
   * only after the events of this one, so that none computes it any more.
   */
  #takeToken(event: Extract<CoordinatorEvent, { kind: 'token' }>): void {
    const { sequence } = event;
    const reason = this.#generations.get(sequence)?.take(sequence, event);
    if (reason !== undefined) this.#forget(sequence, reason);
  }

  #forgetAll({ sequences }: Generation): void {
    for (const sequence of sequences) this.#forget(sequence, 'abort');
  }

  #forget(sequence: Sequence, reason: EndReason): void {
    this.#close(sequence, reason);
    this.#options.coordinator.cancel(sequence);
  }

  #close(sequence: Sequence, reason: EndReason): void {
    if (this.#generations.delete(sequence)) this.#options.observer.ended(sequence, reason);
  }

  #submit(request: GenerationRequest, progress: RequestProgress | undefined): readonly Sequence[] {
    // What arrived whole but for the words that it is complete leaves nothing to compute.
    if (progress?.generated.size === 0) return [];
    const admission = this.#options.coordinator.submit(request, progress);
    if (admission.kind === 'queued') return admission.sequences;
    if (admission.kind === 'unavailable') {
      throw new RpcError('UNAVAILABLE', 'the chips are still loading the model; try again later');
    }
    if (admission.reason === 'full') {
      const subject = `model:${this.#options.group.modelName}`;
      throw overloaded({ subject, description: admission.message });
    }
    throw new InvalidArgumentError(admission.message);
  }
}
