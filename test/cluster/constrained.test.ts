import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { Constraint } from '../../services/core/grammar/constraint.ts';
import type { SamplingParams } from '../../services/core/sampling/params.ts';
import { arbitrarySamplingOf } from '../core/arbitrary-sampling.ts';
import { arbitrarySchema } from '../support/arbitrary-schema.ts';
import { assertDrawn } from '../support/assert-drawn.ts';
import { naiveTokensAfter, openBundledModel, textOf } from '../support/bundled-grammars.ts';
import {
  type GenerateOptions,
  type Generation,
  MemoryCluster,
  type MemoryClusterOptions,
} from '../support/memory-cluster.ts';
import { ReferenceGenerator } from '../support/reference-generator.ts';

const BUNDLED = openBundledModel();
const { model, config, tokenizer, grammars } = BUNDLED;
const STOPS = config.stopTokenIds;
const PROMPTS = ['Once upon a time', 'The dog said:', '{"name": "', 'A list of animals:'].map(
  (text) => tokenizer.encode(text),
);

function jsonSchema(schema: object): Constraint {
  return { kind: 'jsonSchema', schema: JSON.stringify(schema) };
}

const CONSTRAINTS: readonly Constraint[] = [
  { kind: 'choice', choices: ['yes', 'no', 'maybe so', 'may'] },
  { kind: 'regex', pattern: '(the|a) [a-z]{2,9}( and [a-z]+){0,2}\\.' },
  jsonSchema({
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 8 },
      age: { type: 'integer', minimum: 0, maximum: 99 },
      friends: { type: 'array', items: { enum: ['cat', 'dog'] }, maxItems: 2 },
    },
    required: ['name', 'age'],
  }),
];

/** Constrained and free requests in turn, of different kinds of sampling. */
function makeRequests(samplings: readonly SamplingParams[]): readonly GenerateOptions[] {
  return samplings.map((sampling, index) => {
    const constraint = index % 2 === 0 ? CONSTRAINTS[(index / 2) % CONSTRAINTS.length] : undefined;
    const prompt = PROMPTS[index % PROMPTS.length]!;
    return {
      prompt,
      maxTokens: 28,
      minTokens: index % 3 === 0 ? 4 : 0,
      stopTokenIds: STOPS,
      sampling,
      constraint,
    };
  });
}

const drawSamplings = (seed: number, count: number): readonly SamplingParams[] =>
  fc.sample(arbitrarySamplingOf(config.vocabSize), { seed, numRuns: count });

function generateAll(
  options: Partial<MemoryClusterOptions>,
  requests: readonly GenerateOptions[],
): Promise<{ readonly generations: readonly Generation[]; readonly preemptions: number }> {
  return MemoryCluster.use({ model, tp: 1, grammars, ...options }, async (cluster) => {
    const generations = await cluster.generateAll(requests);
    return { generations, preemptions: cluster.host.coordinator.scheduler!.stats.preemptions };
  });
}

function tokensOf(generations: readonly Generation[]): (readonly number[])[] {
  return generations.map(({ tokens }) => tokens);
}

suite('constrained tokens', () => {
  const requests = makeRequests(drawSamplings(7, 12));

  test('are those of an oracle that tries every token by itself', async () => {
    const oracle = await ReferenceGenerator.load({ model, precision: 'f32', maxTokens: 64 });
    const { generations } = await generateAll({}, requests);
    for (const [index, request] of requests.entries()) {
      const { constraint, minTokens = 0, sampling } = request;
      const tokensAfter = constraint && naiveTokensAfter(BUNDLED, constraint);
      const allowed = (generated: readonly number[]): ReadonlySet<number> => {
        const tokens = tokensAfter!(generated);
        const goOn = new Set([...tokens].filter((id) => !STOPS.includes(id)));
        return generated.length < minTokens && goOn.size > 0 ? goOn : tokens;
      };
      const expected = oracle.generate({
        ...{ prompt: request.prompt, maxTokens: request.maxTokens, minTokens, stopTokenIds: STOPS },
        ...{ sampling: sampling as SamplingParams, choice: 0 },
        ...(tokensAfter && { allowed }),
      });
      assertDrawn(generations[index]!, expected);
      assert.equal(generations[index]!.finishReason, expected.finishReason);
    }
  });

  test('are the same at every degree, preempted, and after a failed step', async () => {
    const expected = tokensOf((await generateAll({}, requests)).generations);
    for (const tp of [2, 4, 8]) {
      assert.deepEqual(tokensOf((await generateAll({ tp }, requests)).generations), expected);
    }
    const scarce = await generateAll({ tp: 2, kvBlocks: 30, blockSize: 4, chunk: 3 }, requests);
    assert.ok(scarce.preemptions > 3, `${scarce.preemptions} preemptions`);
    assert.deepEqual(tokensOf(scarce.generations), expected);
    let drawn = 0;
    const onToken = ({ host }: MemoryCluster): void => {
      if (++drawn % 40 === 0) queueMicrotask(() => host.coordinator.reconnected());
    };
    let failures = 0;
    const onEvent = ({ kind }: { readonly kind: string }): void => {
      if (kind === 'stepFailed') failures++;
    };
    const failing = await generateAll({ tp: 2, onToken, onEvent }, requests);
    assert.ok(failures > 2, `${failures} failed steps`);
    assert.deepEqual(tokensOf(failing.generations), expected);
  });

  test('leave those of free requests beside them alone', async () => {
    const free = requests.filter(({ constraint }) => constraint === undefined);
    const alone = (await generateAll({ tp: 2 }, free)).generations;
    const { generations } = await generateAll({ tp: 2 }, requests);
    const together = generations.filter((_, index) => requests[index]!.constraint === undefined);
    assert.deepEqual(together, alone);
  });
});

suite('JSON of random schemas', () => {
  const SCHEMAS = 200;
  const SEED = 2026;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });

  test('always validates, whatever the sampling, and free requests keep their tokens', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const longest = config.maxPositions - 40;
    const schemas = fc.sample(arbitrarySchema(longest), { seed: SEED, numRuns: SCHEMAS });
    const samplings = drawSamplings(SEED, SCHEMAS);
    const constrained = schemas.map(
      ({ schema }, index): GenerateOptions => ({
        ...{ prompt: PROMPTS[index % PROMPTS.length]!, maxTokens: longest, stopTokenIds: STOPS },
        ...{ sampling: samplings[index]!, constraint: jsonSchema(schema) },
      }),
    );
    const free = makeRequests(drawSamplings(SEED + 1, 16)).map((each) => ({
      ...each,
      constraint: undefined,
    }));
    const alone = await generateAll({}, free);
    const { generations } = await generateAll({ tp: 2 }, [...constrained, ...free]);
    let tokens = 0;
    schemas.forEach(({ schema }, index) => {
      const generation = generations[index]!;
      const text = textOf(BUNDLED, generation.tokens, constrained[index]!.prompt.at(-1));
      const validate = ajv.compile(schema);
      const context = `schema ${index} ${JSON.stringify(schema)}: ${text}`;
      assert.equal(generation.finishReason, 'stop', context);
      assert.ok(validate(JSON.parse(text)), `${context}: ${ajv.errorsText(validate.errors)}`);
      tokens += generation.tokens.length;
    });
    assert.deepEqual(tokensOf(generations.slice(SCHEMAS)), tokensOf(alone.generations));
    t.diagnostic(`${SCHEMAS} texts, ${tokens} tokens`);
  });
});
