import { toConstraint } from '../../client/structured-outputs.ts';
import type { Fields } from '../../core/support/fields.ts';
import { checkRequestSampling, DEFAULT_SAMPLING } from '../../rpc/request-sampling.ts';
import type { GenerationPlan } from '../generation-plan.ts';
import { badRequest, HttpError } from '../http-error.ts';
import type { ServedModel } from '../served-model.ts';
import { type SamplingFields, toSamplingRequest } from './sampling-fields.ts';
import { refuseUnsupported } from './unsupported.ts';

/** What a request is read against. */
export interface RequestScope {
  readonly model: ServedModel;
  /** Most tokens of a prompt and its continuation. */
  readonly maxContextLength: number;
  readonly requestId: string;
  /** The name of the key; undefined where the gateway has no keys. */
  readonly tenant: string | undefined;
  /** Seconds since 1970. */
  readonly nowSeconds: number;
}

/** What only one of the two APIs knows of a request. */
export interface RequestParts {
  readonly idPrefix: string;
  readonly prompts: readonly (readonly number[])[];
  /** Most tokens that the request asks for; undefined takes what fits, up to `defaultMaxTokens`. */
  readonly maxTokens: number | undefined;
  readonly defaultMaxTokens: number;
  /** Likeliest tokens to report beside each drawn one; undefined reports none. */
  readonly logprobs: number | undefined;
  /** The same beside each token of the prompts. */
  readonly promptLogprobs: number | undefined;
}

/** Throws 404 for another model, and 400 for what would be ignored wrongly. */
export function checkScope(body: Fields, fields: SamplingFields, { model }: RequestScope): void {
  if (fields.model !== undefined && fields.model !== model.name) {
    throw new HttpError(404, `The model \`${fields.model}\` does not exist.`, { param: 'model' });
  }
  refuseUnsupported(body);
  if (fields.stream && fields.prompt_logprobs !== undefined) {
    throw badRequest(
      'prompt_logprobs must be absent where stream is true: chunks do not have them',
      'prompt_logprobs',
    );
  }
  const isStreamed = fields.stream || body.stream_options === undefined;
  if (!isStreamed && body.stream_options !== null) {
    throw badRequest('stream_options must only be there where stream is true', 'stream_options');
  }
}

/** Puts a request together; throws a 400 for what no engine of this context length can do. */
export function makePlan(
  fields: SamplingFields,
  parts: RequestParts,
  scope: RequestScope,
): GenerationPlan {
  const { prompts, logprobs, promptLogprobs } = parts;
  const { n, stream, stream_options: options } = fields;
  const sampling = {
    ...toSamplingRequest(fields),
    ...(logprobs !== undefined && { logprobs }),
    ...(promptLogprobs !== undefined && { promptLogprobs }),
    // A key's holder must not get a larger share by naming many users.
    clientId: scope.tenant ?? fields.user,
  };
  const maxTokens = prompts.map((prompt) => maxTokensOf(prompt.length, parts, scope));
  const { logitBias = {}, structuredOutputs } = sampling;
  checkRequestSampling({
    ...DEFAULT_SAMPLING,
    ...sampling,
    logitBias: Object.entries(logitBias).map(([id, bias]) => ({ token: Number(id), bias })),
    constraint: toConstraint(structuredOutputs),
    maxTokens: Math.min(...maxTokens),
  });
  return {
    id: `${parts.idPrefix}-${scope.requestId}`,
    created: scope.nowSeconds,
    model: scope.model.name,
    prompts,
    sampling,
    maxTokens,
    n,
    stream,
    includeUsage: options.include_usage,
    continuousUsage: options.include_usage && options.continuous_usage_stats,
    returnTokenIds: fields.return_token_ids,
  };
}

function maxTokensOf(
  promptTokens: number,
  { maxTokens, defaultMaxTokens }: RequestParts,
  { maxContextLength }: RequestScope,
): number {
  const room = maxContextLength - promptTokens;
  const asked = maxTokens ?? Math.min(defaultMaxTokens, Math.max(1, room));
  if (asked <= room) return asked;
  throw badRequest(
    `This model's maximum context length is ${maxContextLength} tokens. However, you requested ${promptTokens + asked} tokens (${promptTokens} in the prompt, ${asked} in the completion). Please reduce the length of the prompt or completion.`,
  );
}
