import type { sohu } from '#proto';
import type { SequenceAdmission } from '../cluster/messages.ts';

/** What the chips must know of a sequence that joins, as a message. */
export function encodeAdmission(
  admission: SequenceAdmission,
): sohu.v1.SequenceAdmission.$Properties {
  const { sampling, stopTokenIds, history, ...numbers } = admission;
  return {
    ...numbers,
    ...sampling,
    logitBias: [...sampling.logitBias],
    logprobs: sampling.logprobs ?? null,
    promptLogprobs: sampling.promptLogprobs ?? null,
    stopTokenIds: [...stopTokenIds],
    history: [...history],
  };
}

/** The opposite of `encodeAdmission`; what is absent has the wire's default. */
export function decodeAdmission(message: sohu.v1.SequenceAdmission.$Properties): SequenceAdmission {
  return {
    sampling: {
      temperature: message.temperature ?? 0,
      topP: message.topP ?? 0,
      topK: message.topK ?? 0,
      minP: message.minP ?? 0,
      seed: message.seed ?? 0,
      repetitionPenalty: message.repetitionPenalty ?? 0,
      presencePenalty: message.presencePenalty ?? 0,
      frequencyPenalty: message.frequencyPenalty ?? 0,
      logitBias: (message.logitBias ?? []).map(({ token, bias }) => ({
        token: token ?? 0,
        bias: bias ?? 0,
      })),
      logprobs: message.logprobs ?? undefined,
      promptLogprobs: message.promptLogprobs ?? undefined,
    },
    choice: message.choice ?? 0,
    promptLength: message.promptLength ?? 0,
    minTokens: message.minTokens ?? 0,
    stopTokenIds: message.stopTokenIds ?? [],
    history: message.history ?? [],
  };
}
