import type { Engine } from './engine.ts';

const PREFIX = 'vllm:';
/** Less than what a scraper usually waits. */
const ANSWER_TIMEOUT_MS = 2_000;
const MODEL_NAME_LABEL = /(?<=[{,])model_name="(?:[^"\\]|\\.)*"/g;

/**
 * The series of the engine behind a gateway, fetched when somebody scrapes. They have vLLM's names,
 * and its model the name that the gateway serves it by.
 */
export class EngineSeries {
  readonly #engine: Engine;
  readonly #label: string;
  #asking: Promise<string | undefined> | undefined;

  constructor(engine: Engine, servedName: string) {
    this.#engine = engine;
    this.#label = `model_name=${JSON.stringify(servedName)}`;
  }

  /** Undefined where the engine does not answer; those who ask at the same time share an answer. */
  text(): Promise<string | undefined> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<string | undefined> {
    try {
      const options = { prefix: PREFIX, timeoutMs: ANSWER_TIMEOUT_MS };
      const { text } = await this.#engine.telemetry.metrics(options);
      return text.replaceAll(MODEL_NAME_LABEL, () => this.#label);
    } catch {
      return undefined;
    }
  }
}
