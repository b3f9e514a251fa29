import { randomUUID } from 'node:crypto';
import type { GenerateInput, Prompt, RequestSampling } from '../rpc/inference-types.ts';
import { DEFAULT_SAMPLING } from '../rpc/request-sampling.ts';
import { RpcError } from '../rpc/status.ts';

/** A prompt and how to continue it; what is left out has the server's default. */
export interface GenerateRequest extends Partial<RequestSampling> {
  /** Text, or token ids to use exactly as given. */
  readonly prompt: string | readonly number[];
  /** Recognises the request in answers and logs; a random one where absent. */
  readonly requestId?: string;
}

const MAX_UINT32 = 2 ** 32 - 1;
const MAX_INT32 = 2 ** 31 - 1;

/** Checks the types that the wire needs; which values are sensible is for the server to say. */
export function toGenerateInput(request: GenerateRequest): GenerateInput {
  const { prompt, requestId = randomUUID(), ...given } = request;
  if (typeof requestId !== 'string') throw invalid('requestId', 'a string', requestId);
  return { requestId, prompt: toPrompt(prompt), sampling: toSampling(given) };
}

function toPrompt(prompt: unknown): Prompt {
  if (typeof prompt === 'string') return { kind: 'text', text: prompt };
  if (!Array.isArray(prompt)) throw invalid('prompt', 'a string or an array of token ids', prompt);
  prompt.forEach((id, index) => {
    checkInteger(`prompt[${index}]`, id, { from: 0, to: MAX_UINT32 });
  });
  return { kind: 'tokens', tokenIds: prompt };
}

function toSampling(given: Partial<RequestSampling>): RequestSampling {
  const sampling = {
    ...DEFAULT_SAMPLING,
    temperature: given.temperature ?? DEFAULT_SAMPLING.temperature,
    topP: given.topP ?? DEFAULT_SAMPLING.topP,
    topK: given.topK ?? DEFAULT_SAMPLING.topK,
    maxTokens: given.maxTokens ?? DEFAULT_SAMPLING.maxTokens,
    seed: given.seed ?? DEFAULT_SAMPLING.seed,
    ignoreEos: given.ignoreEos ?? DEFAULT_SAMPLING.ignoreEos,
  };
  checkNumber('temperature', sampling.temperature);
  checkNumber('topP', sampling.topP);
  const int32 = { from: -MAX_INT32, to: MAX_INT32 };
  checkInteger('topK', sampling.topK, int32);
  if (sampling.maxTokens !== undefined) checkInteger('maxTokens', sampling.maxTokens, int32);
  if (sampling.seed !== undefined) checkInteger('seed', sampling.seed, { from: 0, to: MAX_UINT32 });
  if (typeof sampling.ignoreEos !== 'boolean') {
    throw invalid('ignoreEos', 'true or false', sampling.ignoreEos);
  }
  return sampling;
}

function checkNumber(name: string, value: unknown): void {
  if (typeof value !== 'number') throw invalid(name, 'a number', value);
}

function checkInteger(name: string, value: unknown, range: { from: number; to: number }): void {
  const valid = Number.isInteger(value) && Number(value) >= range.from && Number(value) <= range.to;
  if (!valid) throw invalid(name, `a whole number from ${range.from} to ${range.to}`, value);
}

function invalid(name: string, choice: string, value: unknown): RpcError {
  return new RpcError('INVALID_ARGUMENT', `${name} must be ${choice}, not ${String(value)}`);
}
