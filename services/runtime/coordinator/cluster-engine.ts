import { randomInt } from 'node:crypto';
import type { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import { SOHU } from '../../core/hardware/chips/sohu.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import type { GenerationRequest, Sequence } from '../../core/scheduler/request.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import type { Tokenizer } from '../../core/text/tokenizer.ts';
import type { InferenceEngine } from '../../rpc/inference-service.ts';
import type {
  ChipInfo,
  GenerateEvent,
  GenerateInput,
  ServerInfo,
} from '../../rpc/inference-types.ts';
import { RpcError } from '../../rpc/status.ts';
import { Generation } from './generation.ts';

export interface ClusterEngineOptions {
  readonly coordinator: Coordinator;
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly modelName: string;
  readonly precision: string;
  readonly tensorParallel: number;
  readonly maxModelLen: number;
  readonly maxNumSeqs: number;
  readonly version: string;
}

/** Serves generations from a coordinator: text in, events out. */
export class ClusterEngine implements InferenceEngine {
  readonly #options: ClusterEngineOptions;
  readonly #generations = new Map<Sequence, Generation>();
  #kvBlocks = 0;

  constructor(options: ClusterEngineOptions) {
    this.#options = options;
  }

  /** Takes what happened in the group. */
  observe(event: CoordinatorEvent): void {
    if (event.kind === 'ready') this.#kvBlocks = event.kvBlocks;
    if (event.kind === 'token') this.#takeToken(event);
    if (event.kind === 'requestFailed') {
      const error = new RpcError('UNAVAILABLE', event.message);
      this.#generations.get(event.sequence)?.events.fail(error);
      this.#generations.delete(event.sequence);
    }
  }

  async *generate(input: GenerateInput, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const sequence = this.#submit(this.#requestOf(input));
    const { tokenizer, config } = this.#options;
    const generation = new Generation(sequence, tokenizer, config.stopTokenIds);
    this.#generations.set(sequence, generation);
    const abort = (): void => generation.events.fail(RpcError.fromAbort(signal.reason));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    try {
      yield* generation.events;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#generations.delete(sequence);
      this.#options.coordinator.cancel(sequence);
    }
  }

  serverInfo(): ServerInfo {
    const { config, coordinator } = this.#options;
    return {
      modelName: this.#options.modelName,
      precision: this.#options.precision,
      tensorParallelSize: this.#options.tensorParallel,
      serverType: 'sohu-emulator',
      version: this.#options.version,
      maxContextLength: this.#options.maxModelLen,
      vocabSize: config.vocabSize,
      eosTokenIds: config.stopTokenIds,
      kvBlocks: this.#kvBlocks,
      maxNumSeqs: this.#options.maxNumSeqs,
      chips: coordinator.members.map(({ rank }) => this.#chipInfo(rank)),
    };
  }

  #takeToken(event: Extract<CoordinatorEvent, { kind: 'token' }>): void {
    this.#generations.get(event.sequence)?.take(event.drawn.token, event.finishReason);
    if (event.finishReason !== undefined) this.#generations.delete(event.sequence);
  }

  #submit(request: GenerationRequest): Sequence {
    const admission = this.#options.coordinator.submit(request);
    if (admission.kind === 'queued') return admission.sequences[0]!;
    if (admission.kind === 'unavailable') {
      throw new RpcError('UNAVAILABLE', 'the chips are still loading the model; try again later');
    }
    if (admission.reason === 'full') throw new RpcError('RESOURCE_EXHAUSTED', admission.message);
    throw new InvalidArgumentError(admission.message);
  }

  #requestOf(input: GenerateInput): GenerationRequest {
    const { seed, maxTokens, ignoreEos, ...sampling } = input.sampling;
    const promptTokens = this.#promptTokens(input);
    return {
      requestId: input.requestId,
      promptTokens,
      maxTokens: maxTokens ?? Math.max(1, this.#options.maxModelLen - promptTokens.length),
      minTokens: 0,
      stopTokenIds: [],
      sampling: { ...sampling, seed: seed ?? randomInt(2 ** 32) },
      ignoreEos,
      n: 1,
      priority: 0,
      cacheSalt: '',
      clientId: '',
    };
  }

  #promptTokens({ prompt }: GenerateInput): readonly number[] {
    if (prompt.kind === 'text') return this.#options.tokenizer.encode(prompt.text);
    const { vocabSize } = this.#options.config;
    const bad = prompt.tokenIds.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
    if (bad === undefined) return prompt.tokenIds;
    throw new InvalidArgumentError(
      `token_ids must be whole numbers from 0 to ${vocabSize - 1}, not ${bad}`,
    );
  }

  #chipInfo(rank: number): ChipInfo {
    const { coordinator } = this.#options;
    const member = coordinator.members.find((candidate) => candidate.rank === rank);
    const counters = coordinator.countersOf(rank);
    const ready = member?.ready;
    const kvBytes = (coordinator.scheduler?.usedBlocks ?? 0) * (ready?.kvBytesPerBlock ?? 0);
    return {
      rank,
      pid: member?.hello.pid ?? 0,
      weightBytes: ready?.weightBytes ?? 0,
      hbmBytesUsed: (ready?.weightBytes ?? 0) + (ready?.activationBytes ?? 0) + kvBytes,
      hbmBytesTotal: SOHU.hbmBytes,
      bytesSent: counters?.bytesSent ?? 0,
      bytesReceived: counters?.bytesReceived ?? 0,
      computeMs: (counters?.computeMicros ?? 0) / 1000,
      communicationMs: (counters?.communicationMicros ?? 0) / 1000,
      steps: counters?.steps ?? 0,
      metricsAddress: member?.hello.metricsAddress ?? '',
    };
  }
}
