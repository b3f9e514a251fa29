/**
 * A gateway in a process of its own, before an engine without a model: every open stream gets one
 * token a step, and the steps follow each other at once or at a given pace.
 */
import type { GenerateEvent, GenerateRequest, ServerInfo } from '../../services/client/index.ts';
import type { Engine } from '../../services/gateway/engine.ts';
import { Gateway } from '../../services/gateway/gateway.ts';
import { openServedModel } from '../../services/gateway/served-model.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import type { GatewayBenchMessage, GatewayBenchOrder } from './gateway-messages.ts';

const TIMINGS = { queueMs: 0, prefillMs: 0, decodeMs: 0, inferenceMs: 0, e2eMs: 0 };
const INFO = { maxContextLength: 2 ** 20, chips: [], kvBlocks: 1 } as unknown as ServerInfo;

/** Resolves everybody's wait for the next step. */
class Steps {
  #waiting: (() => void)[] = [];
  #nowMicros = 0;

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** When the step began, on the clock that all processes of a machine share. */
  get nowMicros(): number {
    return this.#nowMicros;
  }

  step(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#nowMicros = Number(process.hrtime.bigint() / 1000n);
    for (const resolve of waiting) resolve();
  }
}

const steps = new Steps();

function nobodyWatches(): never {
  throw new Error('nobody watches a bench');
}

class SteppingEngine implements Engine {
  async *generateStream(request: GenerateRequest): AsyncGenerator<GenerateEvent, void, undefined> {
    const { prompt, requestId = '', maxTokens = 1 } = request;
    yield { kind: 'accepted', requestId, promptTokens: prompt.length, seed: 0 };
    for (let at = 0; at < maxTokens; at++) {
      await steps.next();
      const text = String(steps.nowMicros);
      const place = { index: 0, firstTokenIndex: at, isLast: false };
      yield { kind: 'tokens', ...place, tokenIds: [500], text, logprobs: [] };
    }
    const usage = { promptTokens: prompt.length, completionTokens: maxTokens, cachedTokens: 0 };
    const end = { finishReason: 'length', stopReason: undefined, preemptions: 0 } as const;
    yield { kind: 'complete', index: 0, ...end, usage, timings: TIMINGS };
  }

  readonly telemetry = {
    servers: async () => [],
    metrics: async () => ({ text: '', engine: '0' }),
    snapshot: async () => nobodyWatches(),
    async *watch() {
      yield nobodyWatches();
    },
  };

  async serverInfo(): Promise<ServerInfo> {
    return INFO;
  }
}

let intervalMs = 0;
let lastMs = performance.now();

function loop(): void {
  const nowMs = performance.now();
  if (nowMs - lastMs >= intervalMs) {
    lastMs = intervalMs === 0 ? nowMs : lastMs + intervalMs;
    steps.step();
  }
  // Twice, so that what a step brought is written before the next: one token a write.
  if (intervalMs === 0) setImmediate(() => setImmediate(loop));
  else setTimeout(loop, Math.max(0, lastMs + intervalMs - performance.now()));
}

const model = openServedModel({
  modelPath: packagePath('models/tinystories-5m'),
  tokenizer: undefined,
  servedName: undefined,
});
const gateway = new Gateway({
  engine: new SteppingEngine(),
  model,
  keys: [],
  settings: {
    slow_reader_timeout: 30,
    max_open_prompts: 1024,
    requests_per_minute: null,
    tokens_per_minute: null,
  },
  maxBodyBytes: 2 ** 20,
  nowMs: () => performance.now(),
});
const tell = (message: GatewayBenchMessage): void => {
  process.send?.(message);
};
process.on('message', (order: GatewayBenchOrder) => {
  if (order.kind === 'pace') {
    intervalMs = order.intervalMs;
    lastMs = performance.now();
  }
  const { user, system } = process.cpuUsage();
  tell({ kind: 'cpu', micros: user + system });
});
process.once('disconnect', () => process.exit(0));
const url = await gateway.listen({ host: '127.0.0.1', port: 0 });
tell({ kind: 'listening', port: Number(new URL(url).port) });
loop();
