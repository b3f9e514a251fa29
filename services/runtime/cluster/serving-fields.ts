import type { ServingOptions } from '../options/serving-options.ts';

// An object, so that the compiler notices a field that is missing here.
const FIELDS: Readonly<Record<keyof ServingOptions, true>> = {
  model: true,
  tokenizer: true,
  tp: true,
  precision: true,
  kvCacheDtype: true,
  blockSize: true,
  numGpuBlocksOverride: true,
  maxModelLen: true,
  maxNumSeqs: true,
  maxNumBatchedTokens: true,
  longPrefillTokenThreshold: true,
  maxNumQueuedReqs: true,
  stepTimeout: true,
};

/** The names of all serving options. */
export const SERVING_FIELDS = Object.keys(FIELDS) as readonly (keyof ServingOptions)[];

/** The serving options alone, of options that have others too. */
export function pickServing(options: ServingOptions): ServingOptions {
  const entries = SERVING_FIELDS.map((name) => [name, options[name]] as const);
  return Object.fromEntries(entries) as unknown as ServingOptions;
}
