import type { MetricsText } from '../client/index.ts';
import type { Engine } from './engine.ts';

const PREFIX = 'vllm:';
/** Less than what a scraper usually waits. */
const ANSWER_TIMEOUT_MS = 2_000;
const MODEL_NAME_LABEL = /(?<=[{,])model_name="(?:[^"\\]|\\.)*"/g;

/** What the engines behind a gateway answered. */
export interface EngineAnswers {
  /** In Prometheus' text format, one for each engine that answered. */
  readonly texts: readonly string[];
  /** Every engine that ever answered, and whether it did now. */
  readonly up: ReadonlyMap<string, boolean>;
}

/**
 * The series of the engines behind a gateway, fetched when somebody scrapes. They have vLLM's names,
 * and the model the name that the gateway serves it by.
 */
export class EngineSeries {
  readonly #engine: Engine;
  readonly #label: string;
  /** Ids of the servers that were found and have answered since. */
  readonly #servers = new Set<string>();
  readonly #up = new Map<string, boolean>();
  #reading: Promise<EngineAnswers> | undefined;

  constructor(engine: Engine, servedName: string) {
    this.#engine = engine;
    this.#label = `model_name=${JSON.stringify(servedName)}`;
  }

  /** Asks every engine; those who read at the same time share the answers. */
  read(): Promise<EngineAnswers> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<EngineAnswers> {
    const finding = this.#find();
    if (this.#servers.size === 0) await finding;
    // Where none is found, as where nobody may look for them, whoever takes calls answers.
    const ids = this.#servers.size > 0 ? [...this.#servers] : [undefined];
    const answers = (await Promise.all(ids.map((id) => this.#ask(id)))).flatMap((it) => it ?? []);
    for (const name of this.#up.keys()) this.#up.set(name, false);
    for (const { engine } of answers) this.#up.set(engine, true);
    const texts = answers.map(({ text }) => text.replaceAll(MODEL_NAME_LABEL, () => this.#label));
    return { texts, up: this.#up };
  }

  async #find(): Promise<void> {
    const found = await this.#engine.telemetry.servers().catch(() => []);
    for (const id of found) this.#servers.add(id);
  }

  async #ask(serverId: string | undefined): Promise<MetricsText | undefined> {
    try {
      const options = { prefix: PREFIX, serverId, timeoutMs: ANSWER_TIMEOUT_MS };
      return await this.#engine.telemetry.metrics(options);
    } catch {
      if (serverId !== undefined) this.#servers.delete(serverId);
      return undefined;
    }
  }
}
