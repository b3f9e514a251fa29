import type { ServerInfo } from '../client/index.ts';
import type { Engine } from './engine.ts';

/** How far an engine can be used: `loading` answers, but not yet prompts. */
export type EngineHealth = 'ready' | 'loading' | 'dead';

const ANSWER_TIMEOUT_MS = 2_000;

/** Knows what the engine last said of itself; those who ask at the same time share one answer. */
export class EngineWatch {
  readonly #engine: Engine;
  #last: ServerInfo | undefined;
  #asking: Promise<ServerInfo> | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Asks the engine; fails with its RpcError, UNAVAILABLE or DEADLINE_EXCEEDED where it is dead. */
  async ask(): Promise<ServerInfo> {
    this.#asking ??= this.#engine.serverInfo({ timeoutMs: ANSWER_TIMEOUT_MS }).finally(() => {
      this.#asking = undefined;
    });
    this.#last = await this.#asking;
    return this.#last;
  }

  /** Most tokens of a prompt and its continuation, as the engine last said. */
  async maxContextLength(): Promise<number> {
    return (this.#last ?? (await this.ask())).maxContextLength;
  }

  async health(): Promise<EngineHealth> {
    try {
      const { chips, tensorParallelSize, kvBlocks } = await this.ask();
      return chips.length === tensorParallelSize && kvBlocks > 0 ? 'ready' : 'loading';
    } catch {
      return 'dead';
    }
  }
}
