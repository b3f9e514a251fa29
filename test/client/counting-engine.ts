import { InvalidArgumentError } from '../../services/core/support/errors.ts';
import type { InferenceEngine } from '../../services/rpc/inference-service.ts';
import type {
  CompleteEvent,
  DetokenizeInput,
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  ServerInfo,
} from '../../services/rpc/inference-types.ts';

export const SERVER_INFO: ServerInfo = {
  modelName: 'toy',
  precision: 'fp8',
  tensorParallelSize: 2,
  serverType: 'sohu-emulator',
  version: '0.0.0',
  maxContextLength: 512,
  vocabSize: 4_096,
  eosTokenIds: [1, 2],
  kvBlocks: 64,
  maxNumSeqs: 8,
  weights: 'checkpoint',
  chip: 'Sohu',
  software: 'ideal',
  speed: 0,
  chips: [0, 1].map((rank) => ({
    rank,
    pid: 100 + rank,
    weightBytes: 5e9,
    hbmBytesUsed: 6e9,
    hbmBytesTotal: 144e9,
    bytesSent: 1,
    bytesReceived: 2,
    computeMs: 0.5,
    communicationMs: 0.25,
    steps: 3,
    metricsAddress: '',
  })),
};

export const COMPLETE: CompleteEvent = {
  kind: 'complete',
  index: 0,
  finishReason: 'length',
  stopReason: undefined,
  usage: { promptTokens: 2, completionTokens: 0, cachedTokens: 1 },
  timings: { queueMs: 1, prefillMs: 2.5, decodeMs: 4, inferenceMs: 6.5, e2eMs: 7.5 },
  preemptions: 0,
};

/** Answers with the numbers from 0 as tokens and as text, the samples by turns. */
export class CountingEngine implements InferenceEngine {
  readonly inputs: GenerateInput[] = [];
  readonly aborted: string[] = [];
  readonly abortedNames: string[] = [];
  batches: readonly KvEventBatch[] = [];

  async *generate(input: GenerateInput, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    this.inputs.push(input);
    const { requestId, sampling } = input;
    signal.addEventListener('abort', () => this.aborted.push(requestId));
    const tokens = sampling.maxTokens ?? 1e9;
    const indices = Array.from({ length: sampling.n }, (_, index) => index);
    yield { kind: 'accepted', requestId, promptTokens: 2, seed: sampling.seed ?? 77 };
    if (sampling.promptLogprobs !== undefined) {
      const logprobs = [{ token: 9, logprob: -0.5, top: [{ token: 8, logprob: -0.25 }] }];
      yield { kind: 'promptLogprobs', firstTokenIndex: 1, logprobs };
    }
    for (let i = 0; i < tokens && !signal.aborted; i += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const index of indices) {
        const logprobs = sampling.logprobs === undefined ? [] : [{ logprob: -i, top: [] }];
        const place = { index, firstTokenIndex: i, isLast: false };
        yield { kind: 'tokens', ...place, tokenIds: [i], text: `${i} `, logprobs };
      }
    }
    // The samples end the other way round, to see that their order is restored.
    for (const index of indices.reverse()) {
      const usage = { ...COMPLETE.usage, completionTokens: tokens, cachedTokens: index + 1 };
      const timings = { ...COMPLETE.timings, e2eMs: COMPLETE.timings.e2eMs + index };
      yield { ...COMPLETE, index, usage, timings };
    }
  }

  abort(requestIds: readonly string[]): number {
    const open = requestIds.filter((requestId) => !this.abortedNames.includes(requestId));
    this.abortedNames.push(...open);
    return open.length;
  }

  tokenize(text: string): readonly number[] {
    return [...text].map((character) => character.codePointAt(0)!);
  }

  detokenize({ tokenIds, previousTokenId }: DetokenizeInput): string {
    if (tokenIds.includes(4_096)) throw new InvalidArgumentError('token_ids must be below 4096');
    return `${previousTokenId ?? ''}>${String.fromCodePoint(...tokenIds)}`;
  }

  async *kvEvents(start: number | undefined): AsyncGenerator<KvEventBatch> {
    yield* this.batches.slice(start ?? 0);
  }

  serverInfo(): ServerInfo {
    return SERVER_INFO;
  }
}
