import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toGenerateInput } from '../../services/client/request.ts';
import { toGenerationRequest } from '../../services/runtime/coordinator/to-generation-request.ts';
import { openBundledModel } from '../support/bundled-grammars.ts';

test('chips without weights refuse log-probabilities of prompts, and nothing else of a request', () => {
  const { config, tokenizer, grammars } = openBundledModel();
  const { vocabSize, stopTokenIds: eosTokenIds, maxPositions: maxModelLen } = config;
  const limits = { tokenizer, vocabSize, eosTokenIds, grammars, maxModelLen };
  const of = (fields: object, isPhantom: boolean) => {
    const input = toGenerateInput({ prompt: 'Once', logprobs: 3, ...fields });
    return toGenerationRequest(input, { ...limits, isPhantom }).sampling;
  };
  assert.equal(of({ promptLogprobs: 0 }, false).promptLogprobs, 0);
  assert.equal(of({}, true).logprobs, 3);
  assert.throws(() => of({ promptLogprobs: 0 }, true), {
    name: 'InvalidArgumentError',
    message: 'prompt_logprobs must be absent: chips without weights do not compute prompts',
  });
});
