import type { GenerateRequest } from '../client/index.ts';

/** One request of either API, checked and complete: what the engine is asked, and how to answer. */
export interface GenerationPlan {
  /** `cmpl-…` or `chatcmpl-…`. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** The served name. */
  readonly model: string;
  /** Token ids of each prompt; one where it is a chat. */
  readonly prompts: readonly (readonly number[])[];
  /** What is the same for all prompts. */
  readonly sampling: Omit<GenerateRequest, 'prompt' | 'requestId' | 'maxTokens'>;
  /** Most tokens of each sample, by prompt. */
  readonly maxTokens: readonly number[];
  /** Samples of each prompt. */
  readonly n: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Whether every chunk tells of the tokens so far. */
  readonly continuousUsage: boolean;
  readonly returnTokenIds: boolean;
}

/** The place of a sample among the choices of the answer. */
export function choiceIndex(
  { n }: Pick<GenerationPlan, 'n'>,
  place: { readonly prompt: number; readonly sample: number },
): number {
  return place.prompt * n + place.sample;
}

/** Tokens that a request may cost: what its key's budget must have. */
export function mostTokens({ prompts, maxTokens, n }: GenerationPlan): number {
  return prompts.reduce((sum, { length }, index) => sum + length + n * maxTokens[index]!, 0);
}
