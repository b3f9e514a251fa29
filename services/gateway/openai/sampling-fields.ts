import type { GenerateRequest } from '../../client/index.ts';
import { MAX_LOGPROBS } from '../../core/sampling/params.ts';
import { DEFAULT_SAMPLING } from '../../rpc/request-sampling.ts';
import {
  type FieldValues,
  field,
  flag,
  list,
  number,
  object,
  optional,
  readFields,
  shortText,
  text,
  whole,
} from './fields.ts';
import { oneConstraint, responseFormat, structuredOutputs } from './structured-outputs.ts';

const INT32 = { from: -(2 ** 31), to: 2 ** 31 - 1 };
const TOKEN_ID = whole({ from: 0, to: 2 ** 32 - 1 });
/** More than any request may have; which number is sensible is for the engine's own check. */
const MAX_LIST = 1024;

const MAX_USER_LENGTH = 128;

const STREAM_OPTIONS = {
  include_usage: field(flag, false),
  continuous_usage_stats: field(flag, false),
};

/** What completions and chat completions have in common, by OpenAI's and vLLM's names. */
export const SAMPLING_FIELDS = {
  model: optional(text),
  temperature: field(number, DEFAULT_SAMPLING.temperature),
  top_p: field(number, DEFAULT_SAMPLING.topP),
  top_k: field(whole({ from: -1, to: INT32.to }), DEFAULT_SAMPLING.topK),
  min_p: field(number, DEFAULT_SAMPLING.minP),
  repetition_penalty: field(number, DEFAULT_SAMPLING.repetitionPenalty),
  presence_penalty: field(number, DEFAULT_SAMPLING.presencePenalty),
  frequency_penalty: field(number, DEFAULT_SAMPLING.frequencyPenalty),
  logit_bias: field(logitBias, {}),
  seed: optional(whole({ from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER })),
  n: field(whole({ from: 1, to: INT32.to }), DEFAULT_SAMPLING.n),
  stop: field(stops, DEFAULT_SAMPLING.stop),
  stop_token_ids: field(list(TOKEN_ID, MAX_LIST), DEFAULT_SAMPLING.stopTokenIds),
  min_tokens: field(whole({ from: 0, to: INT32.to }), DEFAULT_SAMPLING.minTokens),
  ignore_eos: field(flag, DEFAULT_SAMPLING.ignoreEos),
  include_stop_str_in_output: field(flag, DEFAULT_SAMPLING.includeStopStrInOutput),
  prompt_logprobs: optional(whole({ from: 0, to: MAX_LOGPROBS })),
  response_format: optional(responseFormat),
  structured_outputs: optional(structuredOutputs),
  priority: field(whole(INT32), 0),
  cache_salt: field(text, ''),
  user: field(shortText(MAX_USER_LENGTH), ''),
  stream: field(flag, false),
  stream_options: field(
    (value, name) => readFields(object(value, name), STREAM_OPTIONS),
    readFields({}, STREAM_OPTIONS),
  ),
  return_token_ids: field(flag, false),
};

export type SamplingFields = FieldValues<typeof SAMPLING_FIELDS>;

/** The number of tokens that a request asks for. */
export const MAX_TOKENS_FIELD = whole({ from: 0, to: INT32.to });

/** The part of an engine's request that the common fields decide. */
export function toSamplingRequest(fields: SamplingFields): Omit<GenerateRequest, 'prompt'> {
  const { seed, response_format: format, structured_outputs: outputs } = fields;
  const structuredOutputs = oneConstraint(format, outputs);
  return {
    temperature: fields.temperature,
    topP: fields.top_p,
    // vLLM's word for all tokens.
    topK: Math.max(0, fields.top_k),
    minP: fields.min_p,
    repetitionPenalty: fields.repetition_penalty,
    presencePenalty: fields.presence_penalty,
    frequencyPenalty: fields.frequency_penalty,
    logitBias: fields.logit_bias,
    // -1 is vLLM's word for none; the rest of what JSON can hold is folded into 32 bits.
    ...(seed !== undefined && seed !== -1 && { seed: seed >>> 0 }),
    n: fields.n,
    stop: fields.stop,
    stopTokenIds: fields.stop_token_ids,
    minTokens: fields.min_tokens,
    ignoreEos: fields.ignore_eos,
    includeStopStrInOutput: fields.include_stop_str_in_output,
    ...(structuredOutputs !== undefined && { structuredOutputs }),
    priority: fields.priority,
    cacheSalt: fields.cache_salt,
  };
}

function stops(value: unknown, name: string): readonly string[] {
  return typeof value === 'string' ? [value] : list(text, MAX_LIST)(value, name);
}

function logitBias(value: unknown, name: string): Readonly<Record<number, number>> {
  return Object.fromEntries(
    Object.entries(object(value, name)).map(([id, bias]) => [
      TOKEN_ID(/^\d+$/.test(id) ? Number(id) : id, `a token id of ${name}`),
      number(bias, `${name}[${id}]`),
    ]),
  );
}
