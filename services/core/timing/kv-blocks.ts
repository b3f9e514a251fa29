import type { Architecture } from '../architecture/architecture.ts';
import { InvalidArgumentError } from '../support/errors.ts';
import { checkFit, type PlacedModel, planLoad } from './load-price.ts';

/** Throws an InvalidArgumentError where a model generates no tokens. */
export function checkGenerates({ diffusion, name }: Architecture): void {
  if (diffusion === undefined) return;
  throw new InvalidArgumentError(
    `model must generate tokens, which the diffusion transformer ${name} does not; choose llama-3-70b, for example`,
  );
}

/**
 * KV blocks of one replica: what its memory plan leaves, or fewer where told. Throws an
 * InvalidArgumentError where the model generates no tokens or does not fit, or not a block for each stage.
 */
export function planKvBlocks(
  placed: PlacedModel,
  options: { readonly blockSize: number; readonly numGpuBlocksOverride: number | undefined },
): number {
  const { blockSize, numGpuBlocksOverride } = options;
  checkGenerates(placed.architecture);
  const plan = planLoad(placed);
  checkFit(placed, plan);
  const blocks = Math.floor(plan.kvTokens / blockSize);
  if (blocks < placed.layout.pp) {
    throw new InvalidArgumentError(
      `block_size must be at most the ${plan.kvTokens} tokens that the KV cache holds, not ${blockSize}`,
    );
  }
  return Math.min(blocks, numGpuBlocksOverride ?? Number.POSITIVE_INFINITY);
}
