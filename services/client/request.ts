import { randomUUID } from 'node:crypto';
import type { LogitBias } from '../core/sampling/params.ts';
import type { GenerateInput, Prompt, RequestSampling } from '../rpc/inference-types.ts';
import { DEFAULT_SAMPLING } from '../rpc/request-sampling.ts';
import {
  checkBoolean,
  checkInteger,
  checkList,
  checkNumber,
  checkString,
  INT32,
  invalidField,
  UINT32,
} from './field-checks.ts';
import { type StructuredOutputs, toConstraint } from './structured-outputs.ts';

/** A prompt and how to continue it; what is left out has the server's default. */
export interface GenerateRequest
  extends Partial<Omit<RequestSampling, 'logitBias' | 'constraint'>> {
  /** Text, or token ids to use exactly as given. */
  readonly prompt: string | readonly number[];
  /** Recognises the request in answers and logs; a random one where absent. */
  readonly requestId?: string;
  /** What is added to the logits of token ids, such as `{ 12: -100 }`. */
  readonly logitBias?: Readonly<Record<number, number>>;
  /** What the text of every sample must be; any where absent. */
  readonly structuredOutputs?: StructuredOutputs | undefined;
  /** Smaller comes first, where the server schedules by priority; 0 where absent. */
  readonly priority?: number;
  /** The prompt shares cached prefixes only with prompts of the same salt. */
  readonly cacheSalt?: string;
  /** Whom the request is served for, where the server is fair between clients. */
  readonly clientId?: string;
}

type Checks = { readonly [Name in keyof RequestSampling]: (name: string, value: unknown) => void };

const SAMPLING_CHECKS: Checks = {
  temperature: checkNumber,
  topP: checkNumber,
  topK: (name, value) => checkInteger(name, value, INT32),
  minP: checkNumber,
  repetitionPenalty: checkNumber,
  presencePenalty: checkNumber,
  frequencyPenalty: checkNumber,
  logitBias: () => {},
  logprobs: (name, value) => value === undefined || checkInteger(name, value, INT32),
  promptLogprobs: (name, value) => value === undefined || checkInteger(name, value, INT32),
  maxTokens: (name, value) => value === undefined || checkInteger(name, value, INT32),
  minTokens: (name, value) => checkInteger(name, value, INT32),
  seed: (name, value) => value === undefined || checkInteger(name, value, UINT32),
  ignoreEos: checkBoolean,
  stop: (name, value) => checkList(name, value, checkString),
  stopTokenIds: (name, value) => checkList(name, value, checkTokenId),
  includeStopStrInOutput: checkBoolean,
  constraint: () => {},
  n: (name, value) => checkInteger(name, value, UINT32),
};

/** Checks the types that the wire needs; which values are sensible is for the server to say. */
export function toGenerateInput(request: GenerateRequest): GenerateInput {
  const { prompt, requestId = randomUUID(), ...rest } = request;
  const { priority = 0, cacheSalt = '', clientId = '', ...sampled } = rest;
  const { logitBias, structuredOutputs, ...given } = sampled;
  checkString('requestId', requestId);
  checkInteger('priority', priority, INT32);
  checkString('cacheSalt', cacheSalt);
  checkString('clientId', clientId);
  const sampling = toSampling({
    ...given,
    logitBias: toLogitBias(logitBias ?? {}),
    constraint: toConstraint(structuredOutputs),
  });
  return { requestId, prompt: toPrompt(prompt), sampling, priority, cacheSalt, clientId };
}

function toPrompt(prompt: unknown): Prompt {
  if (typeof prompt === 'string') return { kind: 'text', text: prompt };
  if (!Array.isArray(prompt)) {
    throw invalidField('prompt', 'a string or an array of token ids', prompt);
  }
  checkList('prompt', prompt, checkTokenId);
  return { kind: 'tokens', tokenIds: prompt };
}

function toSampling(given: Partial<RequestSampling>): RequestSampling {
  const names = Object.keys(SAMPLING_CHECKS) as (keyof RequestSampling)[];
  const values = names.map((name) => {
    const value = given[name] ?? DEFAULT_SAMPLING[name];
    SAMPLING_CHECKS[name](name, value);
    return [name, value];
  });
  return Object.fromEntries(values) as RequestSampling;
}

function toLogitBias(biases: unknown): readonly LogitBias[] {
  if (typeof biases !== 'object' || biases === null || Array.isArray(biases)) {
    throw invalidField('logitBias', 'an object of token ids and numbers', biases);
  }
  return Object.entries(biases).map(([id, bias]) => {
    const token = Number(id);
    if (!isTokenId(token))
      throw invalidField('logitBias', 'an object of token ids and numbers', id);
    checkNumber(`logitBias[${id}]`, bias);
    return { token, bias: bias as number };
  });
}

function isTokenId(value: number): boolean {
  return Number.isInteger(value) && value >= UINT32.from && value <= UINT32.to;
}

function checkTokenId(name: string, value: unknown): void {
  checkInteger(name, value, UINT32);
}
