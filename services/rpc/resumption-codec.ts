import type { sohu } from '#proto';
import type { Resumption } from './inference-types.ts';

export function encodeResumption({
  samples,
  promptLogprobs,
}: Resumption): sohu.v1.Resumption.$Properties {
  return {
    samples: samples.map(({ tokenIds, isComplete }) => ({ tokenIds: [...tokenIds], isComplete })),
    inputLogprobs: promptLogprobs,
  };
}

export function decodeResumption({
  samples,
  inputLogprobs,
}: sohu.v1.Resumption.$Properties): Resumption {
  return {
    samples: (samples ?? []).map(({ tokenIds, isComplete }) => ({
      tokenIds: tokenIds ?? [],
      isComplete: isComplete ?? false,
    })),
    promptLogprobs: inputLogprobs ?? 0,
  };
}
