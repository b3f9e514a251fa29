import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { collectCompletion } from '../../services/client/completion.ts';
import type { Completion, GenerateRequest } from '../../services/client/index.ts';
import { toGenerateInput } from '../../services/client/request.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import { TextStream } from '../../services/core/text/text-stream.ts';
import type { Tokenizer } from '../../services/core/text/tokenizer.ts';
import type { GenerateEvent } from '../../services/rpc/inference-types.ts';
import { RpcError } from '../../services/rpc/status.ts';
import type { ClusterEngine } from '../../services/runtime/coordinator/cluster-engine.ts';
import { openBundledModel } from '../support/bundled-grammars.ts';
import { useMemoryEngine } from '../support/memory-engine.ts';
import { stopNaively } from '../text/naive-stop-strings.ts';

const PROMPT = 'Once upon a time';
const LENGTH = 40;

const { tokenizer: TOKENIZER } = openBundledModel();
const LIMITS = { maxQueued: 8 };
const NEVER = new AbortController().signal;

/** The bundled model on one chip, behind an engine. */
interface Serving {
  readonly engine: ClusterEngine;
  readonly tokenizer: Tokenizer;
  /** Sequences of every step so far. */
  readonly steps: readonly number[];
  /** Sequences that wait or run. */
  load(): number;
  generate(request: Partial<GenerateRequest>, signal?: AbortSignal): Promise<Completion>;
}

function serve(work: (serving: Serving) => Promise<void>): Promise<void> {
  const steps: number[] = [];
  const onEvent = (event: CoordinatorEvent): void => {
    if (event.kind === 'stepCompleted') steps.push(event.sequences);
  };
  const scheduler = { maxNumQueuedReqs: LIMITS.maxQueued };
  return useMemoryEngine({ tp: 1, onEvent, scheduler }, ({ engine, coordinator }) =>
    work({
      engine,
      tokenizer: TOKENIZER,
      steps,
      load: () => coordinator.scheduler!.waitingCount + coordinator.scheduler!.runningCount,
      generate: async (request, signal = new AbortController().signal) => {
        const base = { prompt: PROMPT, temperature: 0, maxTokens: LENGTH, ignoreEos: true };
        const input = toGenerateInput({ ...base, ...request });
        return collectCompletion(engine.generate(input, signal), input.sampling);
      },
    }),
  );
}

/** Starts as many requests as may wait and run. */
async function fill(engine: ClusterEngine): Promise<{ requests: AsyncGenerator<GenerateEvent>[] }> {
  const requests = Array.from({ length: LIMITS.maxQueued }, () =>
    engine.generate(toGenerateInput({ prompt: PROMPT, ignoreEos: true }), NEVER),
  );
  for (const request of requests) await request.next();
  return { requests };
}

/** What each token adds to the text. */
function piecesOf(tokenizer: Tokenizer, tokenIds: readonly number[]): string[] {
  const stream = new TextStream(tokenizer, tokenizer.encode(PROMPT).at(-1));
  return tokenIds.map((id) => stream.push(id));
}

suite('the engine', () => {
  test('stops at the first stop string of the text, and computes no step more', () =>
    serve(async ({ generate, tokenizer, steps }) => {
      const [whole] = (await generate({})).choices;
      assert.equal(whole!.tokenIds.length, LENGTH);
      const pieces = piecesOf(tokenizer, whole!.tokenIds);
      const { text } = whole!;
      const part = fc
        .tuple(fc.nat(text.length - 2), fc.integer({ min: 1, max: 9 }))
        .map(([start, length]) => text.slice(start, start + length));
      const rules = fc.record({
        stop: fc.array(fc.oneof(part, fc.string({ minLength: 1, maxLength: 3 })), { maxLength: 3 }),
        minTokens: fc.nat(LENGTH),
        includeStopStrInOutput: fc.boolean(),
      });
      await fc.assert(
        fc.asyncProperty(rules, async (given) => {
          const before = steps.length;
          const [choice] = (await generate(given)).choices;
          const { stop, minTokens, includeStopStrInOutput: includeInOutput } = given;
          const expected = stopNaively(pieces, { strings: stop, minTokens, includeInOutput });
          assert.equal(choice!.text, expected.text);
          assert.equal(choice!.stopReason, expected.matched);
          assert.equal(choice!.finishReason, expected.matched === undefined ? 'length' : 'stop');
          assert.deepEqual(choice!.tokenIds, whole!.tokenIds.slice(0, expected.tokens));
          assert.equal(steps.length - before, expected.tokens, 'one step a token');
        }),
        { numRuns: 60 },
      );
    }));

  test('stops at a token id of the request, and names it', () =>
    serve(async ({ generate, tokenizer }) => {
      const [whole] = (await generate({})).choices;
      const pieces = piecesOf(tokenizer, whole!.tokenIds);
      const id = whole!.tokenIds[6]!;
      const end = whole!.tokenIds.indexOf(id) + 1;
      const [without] = (await generate({ stopTokenIds: [id] })).choices;
      assert.equal(without!.text, pieces.slice(0, end - 1).join(''));
      assert.deepEqual(without!.tokenIds, whole!.tokenIds.slice(0, end));
      assert.deepEqual([without!.finishReason, without!.stopReason], ['stop', id]);
      const including = { stopTokenIds: [id], includeStopStrInOutput: true };
      const [withText] = (await generate(including)).choices;
      assert.equal(withText!.text, pieces.slice(0, end).join(''));
    }));

  test('gives back what could have begun a stop string when the text ends', () =>
    serve(async ({ generate, tokenizer }) => {
      const [whole] = (await generate({ maxTokens: 8 })).choices;
      const stop = [`${whole!.text.slice(-3)}and nothing else`];
      const [choice] = (await generate({ maxTokens: 8, stop })).choices;
      assert.equal(choice!.text, whole!.text);
      const last = whole!.tokenIds.at(-1)!;
      const [ended] = (await generate({ maxTokens: 8, stop, stopTokenIds: [last] })).choices;
      const pieces = piecesOf(tokenizer, whole!.tokenIds.slice(0, whole!.tokenIds.indexOf(last)));
      assert.equal(ended!.text, pieces.join(''));
    }));

  test('continues a prompt n times under one seed, the first as it does alone', () =>
    serve(async ({ generate, load }) => {
      const request = { temperature: 1, seed: 5, maxTokens: 12 };
      const alone = await generate(request);
      const { choices, usage, seed } = await generate({ ...request, n: 3 });
      assert.equal(seed, 5);
      assert.deepEqual(choices[0]!.tokenIds, alone.choices[0]!.tokenIds);
      assert.deepEqual(
        choices.map(({ index, tokenIds }) => [index, tokenIds.length]),
        [0, 1, 2].map((index) => [index, 12]),
      );
      assert.deepEqual(usage.promptTokens, alone.usage.promptTokens);
      assert.equal(usage.completionTokens, 36);
      assert.equal(load(), 0);
    }));

  test('a sample that a stop string ends is computed no more while the others go on', () =>
    serve(async ({ generate, tokenizer, steps }) => {
      const request = { temperature: 1, seed: 5, n: 3, maxTokens: LENGTH };
      const { choices } = await generate(request);
      const texts = choices.map(({ tokenIds }) => piecesOf(tokenizer, tokenIds).join(''));
      const stop = texts[1]!
        .split(' ')
        .find(
          (word) => word.length > 3 && texts.every((text, i) => text.includes(word) === (i === 1)),
        )!;
      const before = steps.length;
      const stopped = await generate({ ...request, stop: [stop] });
      const lengths = stopped.choices.map(({ tokenIds }) => tokenIds.length);
      assert.ok(lengths[1]! < LENGTH && lengths[0] === LENGTH && lengths[2] === LENGTH);
      assert.deepEqual(
        steps.slice(before),
        Array.from({ length: LENGTH }, (_, step) => (step < lengths[1]! ? 3 : 2)),
      );
    }));

  test('chooses a seed that repeats the draws', () =>
    serve(async ({ generate }) => {
      const first = await generate({ temperature: 1 });
      const again = await generate({ temperature: 1, seed: first.seed });
      assert.deepEqual(again.choices[0]!.tokenIds, first.choices[0]!.tokenIds);
    }));

  test('divides the time of a sample without a rest', () =>
    serve(async ({ generate }) => {
      const { choices } = await generate({ n: 2 });
      for (const { timings } of choices) {
        const { queueMs, prefillMs, decodeMs, inferenceMs, e2eMs } = timings;
        assert.ok(Math.abs(e2eMs - queueMs - inferenceMs) < 1e-9);
        assert.ok(Math.abs(inferenceMs - prefillMs - decodeMs) < 1e-9);
        for (const part of [queueMs, prefillMs, decodeMs]) assert.ok(part >= 0);
        assert.ok(prefillMs > 0 && decodeMs > 0);
      }
    }));

  test('frees every sample of a request at once when its signal fires', () =>
    serve(async ({ engine, load }) => {
      const controller = new AbortController();
      const request = { prompt: PROMPT, n: 4, requestId: 'left', ignoreEos: true };
      const events = engine.generate(toGenerateInput(request), controller.signal);
      for await (const event of events) if (event.kind === 'tokens') break;
      assert.equal(load(), 0, 'left by its reader');
      const cancelled = engine.generate(toGenerateInput(request), controller.signal);
      await cancelled.next();
      assert.equal(load(), 4);
      controller.abort();
      assert.equal(load(), 0, 'before anybody reads on');
      await assert.rejects(
        async () => {
          for await (const _ of cancelled);
        },
        { code: 'CANCELLED' },
      );
    }));

  test('an abort ends every sample in order, with the text so far, and computes no step more', () =>
    serve(async ({ engine, generate, load, steps, tokenizer }) => {
      const [whole] = (await generate({})).choices;
      // Held back from the first character on: it may yet become the stop string.
      const stop = [`${whole!.text}and nothing else`];
      const request = { prompt: PROMPT, temperature: 0, requestId: 'mine', n: 3, ignoreEos: true };
      const other = engine.generate(toGenerateInput({ prompt: PROMPT }), NEVER);
      await other.next();
      const events = engine.generate(toGenerateInput({ ...request, stop }), NEVER);
      const seen: GenerateEvent[] = [];
      let stepsAtAbort = 0;
      const collected = collectCompletion(
        (async function* () {
          for await (const event of events) {
            seen.push(event);
            if (event.kind === 'tokens' && event.firstTokenIndex === 4 && stepsAtAbort === 0) {
              stepsAtAbort = steps.length;
              assert.equal(engine.abort(['mine', 'unknown']), 1);
              assert.equal(engine.abort(['mine']), 0, 'it may be repeated');
              assert.equal(load(), 1, 'only the other request is left');
            }
            yield event;
          }
        })(),
        { n: 3, promptLogprobs: undefined },
      );
      for (const { finishReason, stopReason, text, tokenIds } of (await collected).choices) {
        assert.deepEqual([finishReason, stopReason], ['abort', undefined]);
        assert.deepEqual(tokenIds, whole!.tokenIds.slice(0, tokenIds.length));
        assert.equal(text, piecesOf(tokenizer, tokenIds).join(''));
      }
      assert.equal(seen.at(-1)!.kind, 'complete');
      await other.return(undefined);
      assert.equal(load(), 0);
    }));

  test('a full queue says whose limit it is and when to come back', () =>
    serve(async ({ engine, load }) => {
      const { requests } = await fill(engine);
      const { maxQueued } = LIMITS;
      assert.equal(load(), maxQueued);
      const refused = engine.generate(toGenerateInput({ prompt: PROMPT }), NEVER);
      await assert.rejects(refused.next(), (error) => {
        assert.ok(error instanceof RpcError);
        assert.equal(error.code, 'RESOURCE_EXHAUSTED');
        const count = `${maxQueued} of at most ${maxQueued}`;
        const description = `the queue is full: ${count} requests wait or run; try again later`;
        assert.deepEqual(error.details, [
          { kind: 'quotaFailure', violations: [{ subject: 'model:tinystories-5m', description }] },
          { kind: 'retryInfo', retryDelayMs: 1000 },
        ]);
        return true;
      });
      await Promise.all(requests.map((each) => each.return(undefined)));
    }));

  test('refuses token ids that the model does not have, by the name of the field', () =>
    serve(async ({ engine, generate, load }) => {
      const { vocabSize, maxContextLength } = engine.serverInfo();
      const bad: [Partial<GenerateRequest>, RegExp][] = [
        [{ prompt: [vocabSize] }, /^input_ids must/],
        [{ stopTokenIds: [vocabSize] }, /^stop_token_ids must have token ids from 0 to/],
        [{ logitBias: { [vocabSize]: 1 } }, /^logit_bias must/],
        [
          { prompt: [1, 2], minTokens: maxContextLength, maxTokens: undefined as never },
          /^min_tokens must/,
        ],
      ];
      for (const [parameters, message] of bad) {
        await assert.rejects(generate(parameters), { name: 'InvalidArgumentError', message });
      }
      assert.throws(() => {
        engine.detokenize({ tokenIds: [vocabSize], previousTokenId: undefined });
      }, /^InvalidArgumentError: token_ids/);
      assert.equal(load(), 0);
    }));

  test('ends constrained texts where they are complete, whatever else the request says', () =>
    serve(async ({ generate, tokenizer }) => {
      const colour = { structuredOutputs: { choice: ['red', 'green', 'blue'] }, ignoreEos: false };
      const { choices } = await generate({ ...colour, n: 3, temperature: 1, seed: 3, logprobs: 2 });
      for (const { text, finishReason, stopReason, tokenIds, logprobs } of choices) {
        assert.ok(colour.structuredOutputs.choice.includes(text), text);
        assert.deepEqual([finishReason, stopReason], ['stop', undefined]);
        assert.equal(tokenIds.at(-1), 1, 'the end of text is a token');
        // Of the model's own logits: what the constraint allows is unlikely to be among the likeliest.
        for (const { logprob, top } of logprobs) assert.ok(logprob <= top[0]!.logprob);
      }
      // There is nothing else to say than the end, though it is early.
      const early = (await generate({ ...colour, minTokens: 20 })).choices[0]!;
      assert.ok(colour.structuredOutputs.choice.includes(early.text), early.text);
      assert.deepEqual([early.finishReason, early.tokenIds.length < 20], ['stop', true]);
      // It may end at once, and may go on: min_tokens decides.
      const words = { structuredOutputs: { regex: '([a-z ]{3,})?' }, ignoreEos: false };
      const bias = { logitBias: { 1: 100 } };
      assert.equal((await generate({ ...words, ...bias })).choices[0]!.text, '');
      const late = (await generate({ ...words, ...bias, minTokens: 5 })).choices[0]!;
      assert.equal(late.tokenIds.length, 6);
      const cut = (await generate({ ...words, maxTokens: 4, minTokens: 4 })).choices[0]!;
      assert.deepEqual([cut.finishReason, cut.tokenIds.length], ['length', 4]);
      const stop = late.text.slice(2, 4);
      const stopped = (await generate({ ...words, ...bias, stop: [stop], minTokens: 0 }))
        .choices[0]!;
      assert.equal(stopped.text, '');
      const [first] = tokenizer.encode('r').slice(-1);
      const byId = (
        await generate({ ...colour, logitBias: { [first!]: 100 }, stopTokenIds: [first!] })
      ).choices[0]!;
      assert.deepEqual([byId.finishReason, byId.stopReason, byId.text], ['stop', first, '']);
    }));

  test('refuses constraints that it cannot keep, and fails those that turn out so alone', () =>
    serve(async ({ generate, load }) => {
      const free = await generate({});
      const bad: [object, RegExp][] = [
        [{ regex: '(?=a)' }, /^regex must not have \(\?=a\)/],
        [{ choice: [] }, /^choice must have 1 to 4096 texts, not 0/],
        [{ json: '{' }, /^json_schema must be JSON/],
        [
          { json: { type: 'array', uniqueItems: true } },
          /^json_schema must not have "uniqueItems"/,
        ],
      ];
      for (const [structuredOutputs, message] of bad) {
        const answer = generate({ structuredOutputs, ignoreEos: false });
        await assert.rejects(answer, { name: 'InvalidArgumentError', message });
      }
      const ambiguous = { structuredOutputs: { regex: '.*[a-m].{1000}' }, ignoreEos: false };
      const [failed, beside] = await Promise.allSettled([
        generate({ ...ambiguous, maxTokens: 200 }),
        generate({}),
      ]);
      assert.equal(failed!.status, 'rejected');
      assert.equal(failed.reason.code, 'FAILED_PRECONDITION');
      assert.match(failed.reason.message, /more work than a step may spend/);
      assert.deepEqual(
        beside!.status === 'fulfilled' && beside.value.choices[0]!.tokenIds,
        free.choices[0]!.tokenIds,
      );
      assert.equal(load(), 0);
    }));

  test('turns text into tokens and back', () =>
    serve(async ({ engine, generate }) => {
      const prompt = engine.tokenize(PROMPT);
      const [byText, byTokens] = await Promise.all([generate({}), generate({ prompt })]);
      assert.deepEqual(byTokens.choices[0]!.tokenIds, byText.choices[0]!.tokenIds);
      const { tokenIds, text } = byText.choices[0]!;
      assert.equal(engine.detokenize({ tokenIds, previousTokenId: prompt.at(-1)! }), text);
      const whole = engine.detokenize({ tokenIds: prompt, previousTokenId: undefined });
      assert.deepEqual(engine.tokenize(whole), prompt);
    }));
});
