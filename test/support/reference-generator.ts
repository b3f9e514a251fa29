import type { DrawLogprobs, PromptLogprobs } from '../../services/core/sampling/drawn-token.ts';
import type { SamplingParams } from '../../services/core/sampling/params.ts';
import type { FinishReason } from '../../services/core/scheduler/request.ts';
import { drawNaively, naiveLogprobs } from './naive-sampler.ts';
import { SingleChip, type SingleChipOptions } from './single-chip.ts';

/** A request as the oracle takes it; `stopTokenIds` are all that end it. */
export interface ReferenceRequest {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly minTokens: number;
  readonly stopTokenIds: readonly number[];
  readonly sampling: SamplingParams;
  readonly choice: number;
  /** The tokens that may follow the generated ones; all may where absent. */
  readonly allowed?: (generated: readonly number[]) => ReadonlySet<number>;
}

/** What one sample of a request gives. */
export interface ReferenceGeneration {
  readonly tokens: readonly number[];
  /** One for each token; undefined where the request asks for none. */
  readonly logprobs: readonly (DrawLogprobs | undefined)[];
  /** One for each token of the prompt but the first; empty where the request asks for none. */
  readonly promptLogprobs: readonly PromptLogprobs[];
  readonly finishReason: FinishReason;
}

/**
 * The oracle of a whole generation: one sequence at a time on one chip, a naive sampler, and neither batch, scheduler,
 * cache nor wire. Its tokens are the cluster's; its log-probabilities differ from them by rounding in f64.
 */
export class ReferenceGenerator {
  readonly #chip: SingleChip;

  private constructor(chip: SingleChip) {
    this.#chip = chip;
  }

  static async load(options: SingleChipOptions): Promise<ReferenceGenerator> {
    return new ReferenceGenerator(await SingleChip.load(options));
  }

  generate(request: ReferenceRequest): ReferenceGeneration {
    const { prompt, maxTokens, stopTokenIds } = request;
    // Before `minTokens` the model's own are not drawn either, though they would end nothing.
    const masked = [...stopTokenIds, ...this.#chip.stopTokenIds];
    const tokens: number[] = [];
    const logprobs: (DrawLogprobs | undefined)[] = [];
    const rows = this.#chip.logits(prompt);
    const promptLogprobs = ofPrompt(request, rows);
    let logits = rows.at(-1)!;
    for (;;) {
      const drawn = drawNaively(logits, {
        ...request,
        stopTokenIds: masked,
        generated: tokens,
        allowed: request.allowed?.(tokens),
      });
      tokens.push(drawn.token);
      logprobs.push(drawn.logprobs);
      const isStopped = stopTokenIds.includes(drawn.token);
      if (isStopped || tokens.length === maxTokens) {
        const finishReason = isStopped ? 'stop' : 'length';
        return { tokens, logprobs, promptLogprobs, finishReason };
      }
      logits = this.#chip.logits([drawn.token], prompt.length + tokens.length - 1)[0]!;
    }
  }
}

function ofPrompt(
  { prompt, sampling, choice }: ReferenceRequest,
  rows: readonly Float32Array[],
): PromptLogprobs[] {
  // The first sample of a request tells of the prompt of all.
  if (sampling.promptLogprobs === undefined || choice > 0) return [];
  return prompt.slice(1).map((token, index) => {
    const { of, top } = naiveLogprobs(rows[index]!, sampling.promptLogprobs)!;
    return { token, logprob: of(token), top };
  });
}
