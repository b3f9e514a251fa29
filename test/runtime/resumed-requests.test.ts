import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { checkedEvents } from '../../services/client/checked-events.ts';
import type { GenerateRequest } from '../../services/client/index.ts';
import { ReceivedAnswer } from '../../services/client/received-answer.ts';
import { toGenerateInput } from '../../services/client/request.ts';
import { checkGenerateInput } from '../../services/rpc/check-generate-input.ts';
import { GENERATE } from '../../services/rpc/inference-methods.ts';
import type {
  GenerateEvent,
  GenerateInput,
  SampleResumption,
} from '../../services/rpc/inference-types.ts';
import type { ClusterEngine } from '../../services/runtime/coordinator/cluster-engine.ts';
import { lastingParts } from '../support/answer-events.ts';
import { openBundledModel } from '../support/bundled-grammars.ts';
import { useMemoryEngine } from '../support/memory-engine.ts';

const { tokenizer: TOKENIZER, config: CONFIG } = openBundledModel();
const NEVER = new AbortController().signal;
const LENGTH = 32;
/** A sequence may need four of them, and nine sequences may run. */
const SCARCE = { blockSize: 16, kvBlocks: 10, maxNumBatchedTokens: 64 };
const PROMPT = 'Once upon a time';

const often = <T>(neutral: T, other: fc.Arbitrary<T>) => fc.oneof(fc.constant(neutral), other);
const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

const base = {
  prompt: fc.constantFrom(PROMPT, 'Lily', 'The dog and the cat went to the park to play with'),
  seed: often<number | undefined>(undefined, fc.nat(2 ** 32 - 1)),
  n: fc.integer({ min: 1, max: 3 }),
  temperature: fc.constantFrom(0, 1),
  topP: often(1, between(0.3, 1)),
  repetitionPenalty: often(1, between(0.7, 1.5)),
  frequencyPenalty: often(0, between(-1, 2)),
  presencePenalty: often(0, between(-1, 2)),
  maxTokens: fc.integer({ min: 1, max: LENGTH }),
  minTokens: fc.nat(LENGTH),
  logprobs: often<number | undefined>(undefined, fc.nat(3)),
  promptLogprobs: often<number | undefined>(undefined, fc.nat(3)),
};
const stops = {
  stop: fc.array(fc.constantFrom(' the', 'e w', 'as ', '. ', 'd.', 'little girl', 'an', '"I'), {
    maxLength: 3,
  }),
  stopTokenIds: fc.array(fc.nat(CONFIG.vocabSize - 1), { maxLength: 4 }),
  includeStopStrInOutput: fc.boolean(),
};
const free = fc.record({ ...base, ...stops, ignoreEos: fc.boolean() });
const constrained = fc.record({
  ...base,
  ...stops,
  structuredOutputs: fc.constantFrom(
    { regex: '( ?[a-z]{1,5}){2,8}\\.' },
    { choice: ['a small dog', 'a small door', 'nothing'] },
    { jsonObject: true as const },
  ),
});
const arbitraryRequest: fc.Arbitrary<GenerateRequest> = fc
  .oneof({ weight: 3, arbitrary: free }, { weight: 1, arbitrary: constrained })
  .map(({ minTokens, ...given }) => ({
    ...given,
    minTokens: Math.min(minTokens, given.maxTokens),
  }));

async function whole(engine: ClusterEngine, input: GenerateInput): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = [];
  const checked = checkedEvents(engine.generate(input, NEVER), input.sampling);
  for await (const event of checked) events.push(event);
  return events;
}

/** A request as the wire hands it over. */
function overTheWire(input: GenerateInput): GenerateInput {
  const decoded = GENERATE.decodeRequest(GENERATE.encodeRequest(input));
  checkGenerateInput(decoded);
  return decoded;
}

/** Reads an answer from engines that are lost, by turns, after so many events each. */
async function* cut(
  engines: readonly ClusterEngine[],
  input: GenerateInput,
  cuts: readonly number[],
): AsyncGenerator<GenerateEvent> {
  const answer = new ReceivedAnswer(input);
  for (let attempt = 0; !answer.isWhole; attempt++) {
    let left = cuts[attempt] ?? Number.POSITIVE_INFINITY;
    const engine = engines[attempt % engines.length]!;
    for await (const event of engine.generate(overTheWire(answer.rest()), NEVER)) {
      if (answer.take(event)) yield event;
      // Not earlier: a client that nothing has reached has no seed to go on with.
      if (--left < 0) break;
    }
  }
}

test('an answer that breaks off and goes on is that of the undisturbed request', () =>
  useMemoryEngine({ tp: 1 }, ({ engine: oracle }) =>
    useMemoryEngine({ tp: 1, ...SCARCE }, ({ engine: one, coordinator }) =>
      useMemoryEngine({ tp: 2, ...SCARCE }, async ({ engine: two }) => {
        const before = coordinator.scheduler!.stats.preemptions;
        const arbitrary = fc.record({
          request: arbitraryRequest,
          cuts: fc.array(fc.nat(LENGTH), { minLength: 1, maxLength: 4 }),
        });
        let number = 0;
        await fc.assert(
          fc.asyncProperty(fc.array(arbitrary, { minLength: 1, maxLength: 3 }), async (all) => {
            const compare = async ({ request, cuts }: (typeof all)[number]): Promise<void> => {
              const input = toGenerateInput({ ...request, requestId: `r${number++}` });
              const answer = cut([one, two], input, cuts);
              const events: GenerateEvent[] = [];
              for await (const event of checkedEvents(answer, input.sampling)) events.push(event);
              const [accepted] = events;
              assert.ok(accepted?.kind === 'accepted');
              const sampling = { ...input.sampling, seed: accepted.seed };
              const expected = await whole(oracle, { ...input, sampling });
              assert.deepEqual(lastingParts(events), lastingParts(expected));
            };
            await Promise.all(all.map(compare));
          }),
          { numRuns: 60 },
        );
        const preemptions = coordinator.scheduler!.stats.preemptions - before;
        assert.ok(preemptions > 0, 'memory was scarce');
      }),
    ),
  ));

suite('a request that goes on', () => {
  const request = { prompt: PROMPT, seed: 5, temperature: 0, maxTokens: 12, ignoreEos: true };
  const [, ...text] = TOKENIZER.encode(PROMPT);

  const resumed = (
    given: Partial<GenerateRequest>,
    samples: readonly Partial<SampleResumption>[],
    promptLogprobs = 0,
  ): GenerateInput => ({
    ...toGenerateInput({ ...request, requestId: 'mine', n: samples.length, ...given }),
    resumption: {
      samples: samples.map((each) => ({ tokenIds: [], isComplete: false, ...each })),
      promptLogprobs,
    },
  });

  test('ends the stream of it that is still open, and no other', () =>
    useMemoryEngine({ tp: 1 }, async ({ engine, coordinator }) => {
      const load = () => coordinator.scheduler!.runningCount + coordinator.scheduler!.waitingCount;
      const open = engine.generate(toGenerateInput({ ...request, requestId: 'mine' }), NEVER);
      await open.next();
      const namesakes = [{ seed: 6 }, { prompt: 'Lily' }, { clientId: 'somebody' }];
      for (const given of namesakes) {
        const stream = engine.generate(resumed(given, [{}]), NEVER);
        await stream.next();
        assert.equal(load(), 2, 'a namesake ends nobody');
        await stream.return(undefined);
      }
      const next = await whole(engine, { ...resumed({}, [{}]) });
      assert.equal(next.at(-1)?.kind, 'complete');
      const rest = async () => {
        for await (const _ of open);
      };
      await assert.rejects(rest(), { code: 'ABORTED' });
      assert.equal(load(), 0);
    }));

  test('is refused by the name of the field where it cannot have had these tokens', () =>
    useMemoryEngine({ tp: 1 }, async ({ engine, coordinator }) => {
      const choice = { structuredOutputs: { choice: ['yes', 'no'] }, ignoreEos: false };
      const wrong: [GenerateInput, RegExp][] = [
        [
          resumed({}, [{ tokenIds: [CONFIG.vocabSize] }]),
          /^resumption.samples\[0\].token_ids must/,
        ],
        [resumed({}, [{}, { tokenIds: Array(13).fill(5) }]), /samples\[1\].token_ids .+ 12 .+ 13$/],
        [resumed({ stopTokenIds: [7] }, [{ tokenIds: [7, 8] }]), /must end with number 1/],
        [resumed({ stop: ['upon'] }, [{ tokenIds: text }]), /must end with number 2/],
        [resumed(choice, [{ tokenIds: text }]), /a text that the constraint allows/],
        [resumed({ promptLogprobs: 1 }, [{}], 99), /^resumption.input_logprobs must be at most/],
        [resumed({ promptLogprobs: 1 }, [{ tokenIds: [5] }], 0), /^resumption.input_logprobs must/],
      ];
      for (const [input, message] of wrong) {
        const read = whole(engine, input);
        await assert.rejects(read, (error) => {
          assert.match((error as Error).message, message);
          return (error as Error).name === 'InvalidArgumentError';
        });
      }
      assert.equal(coordinator.scheduler!.waitingCount, 0);
    }));

  test('that lost nothing but the word that it is complete computes nothing', () =>
    useMemoryEngine({ tp: 1 }, async ({ engine, coordinator }) => {
      const undisturbed = await whole(engine, toGenerateInput({ ...request, requestId: 'mine' }));
      const tokenIds = undisturbed.flatMap((each) => (each.kind === 'tokens' ? each.tokenIds : []));
      const events: GenerateEvent[] = [];
      for await (const event of engine.generate(resumed({}, [{ tokenIds }]), NEVER)) {
        assert.equal(coordinator.isStepInFlight, false);
        events.push(event);
      }
      assert.deepEqual(lastingParts([...undisturbed.slice(0, -1), ...events.slice(1)]), {
        ...(lastingParts(undisturbed) as object),
      });
    }));
});
