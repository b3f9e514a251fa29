import { setTimeout as delay } from 'node:timers/promises';
import type {
  CallOptions,
  ClusterSnapshot,
  GenerateEvent,
  GenerateRequest,
  ServerInfo,
  StepRecord,
} from '../../services/client/index.ts';
import { RpcError } from '../../services/client/index.ts';
import type { Engine } from '../../services/gateway/engine.ts';

/** What a stand-in does with a request; it must end when the signal fires. */
export type Script = (
  request: GenerateRequest,
  signal: AbortSignal,
) => AsyncIterable<GenerateEvent>;

export const TIMINGS = { queueMs: 1, prefillMs: 2, decodeMs: 3, inferenceMs: 5, e2eMs: 6 };

export const SERVER_INFO: ServerInfo = {
  modelName: 'tinystories-5m',
  precision: 'fp8',
  tensorParallelSize: 1,
  serverType: 'stand-in',
  version: '0',
  maxContextLength: 1024,
  vocabSize: 2048,
  eosTokenIds: [1],
  kvBlocks: 64,
  maxNumSeqs: 256,
  weights: 'checkpoint',
  chip: 'Sohu',
  software: 'ideal',
  speed: 0,
  chips: [
    {
      rank: 0,
      pid: 1,
      weightBytes: 0,
      hbmBytesUsed: 0,
      hbmBytesTotal: 0,
      bytesSent: 0,
      bytesReceived: 0,
      computeMs: 0,
      communicationMs: 0,
      steps: 0,
      metricsAddress: '',
    },
  ],
};

/** An engine without a model, behind a gateway in tests. */
export class StandInEngine implements Engine {
  /** What was asked, in order. */
  readonly requests: GenerateRequest[] = [];
  /** Requests that are being worked on: what holds KV in a real engine. */
  openCount = 0;
  info: ServerInfo | RpcError = SERVER_INFO;
  script: Script;
  /** The series that the engine shows; an error where it does not answer. */
  series: string | RpcError = '';
  /** How the cluster is, for those who watch it. */
  snapshot: ClusterSnapshot | RpcError = new RpcError('UNIMPLEMENTED', 'nobody watches');
  /** The steps of a watch. */
  steps: (signal: AbortSignal) => AsyncIterable<StepRecord> = noSteps;
  /** Watches that are open. */
  watchers = 0;
  readonly telemetry = {
    servers: async () => [],
    snapshot: async () => {
      if (this.snapshot instanceof RpcError) throw this.snapshot;
      return this.snapshot;
    },
    watch: ({ signal = new AbortController().signal }: CallOptions = {}) => this.#watch(signal),
    metrics: async () => {
      if (this.series instanceof RpcError) throw this.series;
      return { text: this.series, engine: '0' };
    },
  };

  constructor(script: Script = sayHello) {
    this.script = script;
  }

  async *generateStream(
    request: GenerateRequest,
    { signal = new AbortController().signal }: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<GenerateEvent, void, undefined> {
    this.requests.push(request);
    this.openCount++;
    try {
      yield* this.script(request, signal);
    } finally {
      this.openCount--;
    }
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<StepRecord, void, undefined> {
    this.watchers++;
    try {
      yield* this.steps(signal);
    } finally {
      this.watchers--;
    }
  }

  async serverInfo(): Promise<ServerInfo> {
    if (this.info instanceof RpcError) throw this.info;
    return this.info;
  }
}

export function accepted({ prompt, requestId = '' }: GenerateRequest): GenerateEvent {
  return { kind: 'accepted', requestId, promptTokens: prompt.length, seed: 7 };
}

export function tokens(
  text: string,
  place: {
    readonly id: number;
    readonly at: number;
    readonly index?: number;
    readonly isLast?: boolean;
  },
): Extract<GenerateEvent, { kind: 'tokens' }> {
  const { id, at, index = 0, isLast = false } = place;
  return { kind: 'tokens', index, tokenIds: [id], text, firstTokenIndex: at, isLast, logprobs: [] };
}

export function complete(
  { prompt }: GenerateRequest,
  end: {
    readonly completionTokens: number;
    readonly index?: number;
    readonly cachedTokens?: number;
  },
): Extract<GenerateEvent, { kind: 'complete' }> {
  const { completionTokens, index = 0, cachedTokens = 0 } = end;
  return {
    kind: 'complete',
    index,
    finishReason: 'length',
    stopReason: undefined,
    usage: { promptTokens: prompt.length, completionTokens, cachedTokens },
    timings: TIMINGS,
    preemptions: 0,
  };
}

/** Two tokens for each sample, with log-probabilities where they are asked for. */
export async function* sayHello(request: GenerateRequest): AsyncGenerator<GenerateEvent> {
  const { n = 1, logprobs } = request;
  yield accepted(request);
  yield* tellPrompt(request);
  for (let index = 0; index < n; index++) {
    for (const [at, [text, id]] of (
      [
        [' Hello', 500],
        [' "you"\n', 501],
      ] as const
    ).entries()) {
      const top = Array.from({ length: logprobs ?? 0 }, (_, i) => ({
        token: 600 + i,
        logprob: -1 - i,
      }));
      yield {
        ...tokens(text, { id, at, index }),
        logprobs: logprobs === undefined ? [] : [{ logprob: -0.5, top }],
      };
    }
    yield complete(request, { completionTokens: 2, index, cachedTokens: 1 });
  }
}

/** The prompt's log-probabilities, in events of one token, where they are asked for. */
function* tellPrompt({ prompt, promptLogprobs }: GenerateRequest): Generator<GenerateEvent> {
  if (promptLogprobs === undefined || typeof prompt === 'string') return;
  for (const [index, token] of prompt.slice(1).entries()) {
    const top = Array.from({ length: promptLogprobs }, (_, i) => ({
      token: 600 + i,
      logprob: -1 - i,
    }));
    yield {
      kind: 'promptLogprobs',
      firstTokenIndex: index + 1,
      logprobs: [{ token, logprob: -2, top }],
    };
  }
}

/** Accepts, and then nothing until the client leaves. */
export async function* stayQuiet(
  request: GenerateRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerateEvent> {
  yield accepted(request);
  await untilAborted(signal);
}

/** Tokens without end, one piece of `text` a turn of the event loop. */
export function talkOn(text: string): Script {
  return async function* script(request, signal) {
    yield accepted(request);
    for (let at = 0; ; at++) {
      if (at % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) throw RpcError.fromAbort(signal.reason);
      yield tokens(text, { id: 500, at });
    }
  };
}

async function* noSteps(signal: AbortSignal): AsyncGenerator<StepRecord> {
  yield await untilAborted(signal);
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  throw RpcError.fromAbort(signal.reason);
}

/** Waits for a condition that other code is about to bring about. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const startMs = performance.now(); performance.now() - startMs < 30_000; await delay(5)) {
    if (await holds()) return;
  }
  throw new Error(`not within 30 s: ${what}`);
}
