import type { Fields } from '../../core/support/fields.ts';
import type { Prompt } from '../../rpc/inference-types.ts';
import type { AnswerFormat } from '../answer-format.ts';
import type { GenerationPlan } from '../generation-plan.ts';
import type { TokenTexts } from '../token-texts.ts';
import { CompletionFormat } from './completion-format.ts';
import { encodePrompt } from './encode-prompt.ts';
import { field, flag, mustBe, optional, readFields, whole } from './fields.ts';
import { prompts } from './prompts.ts';
import { checkScope, makePlan, type RequestScope } from './request-scope.ts';
import { MAX_TOKENS_FIELD, SAMPLING_FIELDS } from './sampling-fields.ts';

/** A request of either API: what to do, and how to write what comes of it. */
export interface ParsedRequest {
  readonly plan: GenerationPlan;
  readonly format: AnswerFormat;
  /** Whether the answer is the prompts alone. */
  readonly isEchoOnly: boolean;
}

const DEFAULT_MAX_TOKENS = 16;
/** More than any request may have; which number is sensible is for the engine's own check. */
const LOGPROBS = whole({ from: 0, to: 2 ** 31 - 1 });

const FIELDS = {
  ...SAMPLING_FIELDS,
  prompt: optional(prompts),
  max_tokens: optional(MAX_TOKENS_FIELD),
  logprobs: optional(LOGPROBS),
  echo: field(flag, false),
  add_special_tokens: field(flag, true),
};

/** Reads the body of `/v1/completions`. */
export function parseCompletion(body: Fields, scope: RequestScope): ParsedRequest {
  const fields = readFields(body, FIELDS);
  checkScope(body, fields, scope);
  const { prompt, echo, logprobs, max_tokens: maxTokens } = fields;
  if (prompt === undefined) throw mustBe('prompt', 'there', undefined);
  const { texts } = scope.model;
  const encoding = {
    addSpecialTokens: fields.add_special_tokens,
    maxContextLength: scope.maxContextLength,
    field: 'prompt',
  };
  const isEchoOnly = echo && maxTokens === 0;
  const plan = makePlan(
    fields,
    {
      idPrefix: 'cmpl',
      prompts: prompt.map((each) => {
        if (each.kind === 'tokens') return each.tokenIds;
        return encodePrompt(texts, each.text, encoding);
      }),
      maxTokens: isEchoOnly ? 1 : maxTokens,
      defaultMaxTokens: DEFAULT_MAX_TOKENS,
      logprobs,
      // As in vLLM, an echo tells of the prompt what it tells of the drawn tokens.
      promptLogprobs: fields.prompt_logprobs ?? (echo ? logprobs : undefined),
    },
    scope,
  );
  const echoes = echo ? prompt.map((each, index) => echoOf(each, plan.prompts[index]!, texts)) : [];
  return { plan, format: new CompletionFormat(plan, texts, echoes), isEchoOnly };
}

function echoOf(prompt: Prompt, tokenIds: readonly number[], texts: TokenTexts): string {
  return prompt.kind === 'text' ? prompt.text : texts.decode(tokenIds);
}
