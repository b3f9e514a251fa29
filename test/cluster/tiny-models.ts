import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import type { SamplingParams } from '../../services/core/sampling/params.ts';
import { arbitrarySamplingOf } from '../core/arbitrary-sampling.ts';
import { writeHfCheckpoint } from '../support/checkpoint-files.ts';
import type { ReferenceRequest } from '../support/reference-generator.ts';

/** The fields of a random model's config.json, and the seed of its weights. */
export interface TinyModel {
  readonly seed: number;
  readonly config: Readonly<Record<string, unknown>>;
}

const LLAMA3_SCALING = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 32,
} as const;

/** Query heads and KV heads; most are no multiples of the eight leaves. */
const HEADS = [
  [1, 1],
  [2, 1],
  [3, 3],
  [3, 1],
  [6, 2],
  [6, 3],
  [8, 2],
  [12, 4],
  [12, 3],
  [12, 1],
  [17, 17],
] as const;

/** Token ids below it are in every vocabulary. */
const SMALLEST_VOCABULARY = 5;

/** Small models of odd shapes: what 8 does not divide, what is smaller than 8, tied or not, long-context or not. */
export const arbitraryModel: fc.Arbitrary<TinyModel> = fc
  .record({
    seed: fc.nat({ max: 1000 }),
    heads: fc.constantFrom(...HEADS),
    headDim: fc.constantFrom(4, 8, 12),
    hidden: fc.integer({ min: 5, max: 50 }),
    intermediate: fc.integer({ min: 3, max: 70 }),
    vocab: fc.integer({ min: SMALLEST_VOCABULARY, max: 90 }),
    layers: fc.integer({ min: 1, max: 2 }),
    tied: fc.boolean(),
    scaled: fc.boolean(),
    leaves: fc.constantFrom(8, 8, 8, 16, 64),
  })
  .map(({ seed, heads, headDim, hidden, intermediate, vocab, layers, tied, scaled, leaves }) => ({
    seed,
    config: {
      hidden_size: hidden,
      intermediate_size: intermediate,
      vocab_size: vocab,
      num_hidden_layers: layers,
      num_attention_heads: heads[0],
      num_key_value_heads: heads[1],
      head_dim: headDim,
      tie_word_embeddings: tied,
      rope_scaling: scaled ? LLAMA3_SCALING : null,
      rope_theta: 500,
      sohu_reduction_leaves: leaves,
      max_position_embeddings: 96,
    },
  }));

/** Writes the model once below `directory`; returns where it is. */
export function writeTinyModel(directory: string, model: TinyModel): string {
  const name = createHash('sha1').update(JSON.stringify(model)).digest('hex');
  const path = join(directory, name);
  if (!existsSync(path)) writeHfCheckpoint(path, model);
  return path;
}

export function vocabularyOf(model: string): number {
  const checkpoint = openCheckpoint(model);
  checkpoint.close();
  return checkpoint.config.vocabSize;
}

const arbitraryToken = fc.nat({ max: SMALLEST_VOCABULARY - 1 });

/** Every parameter alone and with others. */
export const arbitrarySampling: fc.Arbitrary<SamplingParams> =
  arbitrarySamplingOf(SMALLEST_VOCABULARY);

/** Requests with prompts of different lengths, whose token ids are below any vocabulary's size. */
export function arbitraryRequests(options: {
  readonly count: number;
  readonly maxPrompt: number;
}): fc.Arbitrary<ReferenceRequest[]> {
  const request = fc
    .record({
      prompt: fc.array(arbitraryToken, {
        minLength: 1,
        maxLength: options.maxPrompt,
        size: 'max',
      }),
      maxTokens: fc.integer({ min: 1, max: 8 }),
      minTokens: fc.nat({ max: 4 }),
      stopTokenIds: fc.uniqueArray(arbitraryToken, { maxLength: 2 }),
      sampling: arbitrarySampling,
      choice: fc.constantFrom(0, 0, 0, 1, 2),
    })
    .map((fields) => ({ ...fields, minTokens: Math.min(fields.minTokens, fields.maxTokens) }));
  return fc.array(request, { minLength: 1, maxLength: options.count, size: 'max' });
}
