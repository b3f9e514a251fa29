import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import type { TokenLogprob } from '../../services/core/sampling/drawn-token.ts';
import type { GenerateEvent, GenerateInput } from '../../services/rpc/inference-types.ts';
import { RpcError } from '../../services/rpc/status.ts';
import { COMPLETE, CountingEngine, SERVER_INFO } from './counting-engine.ts';
import { makeMemoryWorld } from './worlds.ts';

interface Toy {
  readonly seed: number;
  readonly vocabSize: number;
  readonly eosTokenIds: readonly number[];
  /** Log-probabilities are multiples of one over it, so that few levels make ties. */
  readonly levels: number;
}

/** Log-probability of every token after the others: any function of them will do. */
function logprobsAfter({ seed, vocabSize, levels }: Toy, tokens: readonly number[]): number[] {
  return Array.from({ length: vocabSize }, (_, token) => {
    const hash = [...tokens, token].reduce((h, id) => Math.imul(h ^ (id + 1), 0x9e3779b1), seed);
    return -(((hash >>> 8) % levels) + 1) / levels;
  });
}

/** Draws the likeliest token, and reports as many as it is asked for. */
function makeToyEngine(toy: Toy): CountingEngine {
  const engine = new CountingEngine();
  engine.generate = async function* (input) {
    engine.inputs.push(input);
    yield* drawOne(toy, input);
  };
  const { vocabSize, eosTokenIds } = toy;
  engine.serverInfo = () => ({ ...SERVER_INFO, vocabSize, eosTokenIds, maxContextLength: 12 });
  return engine;
}

function* drawOne(
  toy: Toy,
  { requestId, prompt, sampling }: GenerateInput,
): Iterable<GenerateEvent> {
  assert.ok(prompt.kind === 'tokens');
  const sorted = logprobsAfter(toy, prompt.tokenIds)
    .map((logprob, token): TokenLogprob => ({ token, logprob }))
    .sort((a, b) => b.logprob - a.logprob || a.token - b.token);
  const { token, logprob } = sorted[0]!;
  const promptTokens = prompt.tokenIds.length;
  const top = sorted.slice(0, sampling.logprobs);
  const logprobs = sampling.logprobs === undefined ? [] : [{ logprob, top }];
  const usage = { promptTokens, completionTokens: 1, cachedTokens: 0 };
  yield { kind: 'accepted', requestId, promptTokens, seed: 0 };
  const place = { index: 0, firstTokenIndex: 0, isLast: true };
  yield { kind: 'tokens', ...place, tokenIds: [token], text: '', logprobs };
  yield { ...COMPLETE, usage };
}

interface NaiveBeam {
  readonly tokenIds: readonly number[];
  readonly cumulativeLogprob: number;
  readonly score: number;
}

interface NaiveSearch {
  readonly prompt: readonly number[];
  readonly beamWidth: number;
  readonly maxTokens: number;
  readonly lengthPenalty: number;
  readonly ignoreEos: boolean;
}

/** The search with all of the vocabulary at hand, in the order of the definition. */
function searchNaively(toy: Toy, search: NaiveSearch): NaiveBeam[] {
  const { prompt, beamWidth, maxTokens, lengthPenalty } = search;
  const eos = search.ignoreEos ? [] : toy.eosTokenIds;
  const isOver = ({ tokenIds }: NaiveBeam): boolean => eos.includes(tokenIds.at(-1) ?? -1);
  const best = (beams: readonly NaiveBeam[]): NaiveBeam[] =>
    [...beams]
      .sort((a, b) => {
        if (a.score !== b.score) return b.score - a.score;
        const letters = ({ tokenIds }: NaiveBeam): string =>
          tokenIds.map((id) => String.fromCharCode(id + 1)).join('');
        return letters(a) < letters(b) ? -1 : 1;
      })
      .slice(0, beamWidth);
  const over: NaiveBeam[] = [];
  let beams: NaiveBeam[] = [{ tokenIds: [], cumulativeLogprob: 0, score: 0 }];
  for (let round = 0; round < Math.min(maxTokens, 12 - prompt.length); round++) {
    const next = beams.flatMap((beam) =>
      logprobsAfter(toy, [...prompt, ...beam.tokenIds])
        .map((logprob, token) => ({ token, logprob }))
        .sort((a, b) => b.logprob - a.logprob || a.token - b.token)
        .slice(0, 2 * beamWidth)
        .map(({ token, logprob }) => {
          const tokenIds = [...beam.tokenIds, token];
          const cumulativeLogprob = beam.cumulativeLogprob + logprob;
          const length = prompt.length + tokenIds.length - (eos.includes(token) ? 1 : 0);
          return {
            tokenIds,
            cumulativeLogprob,
            score: cumulativeLogprob / length ** lengthPenalty,
          };
        }),
    );
    over.push(...next.filter(isOver));
    beams = best(next.filter((beam) => !isOver(beam)));
  }
  return best([...over, ...beams]);
}

const toys: fc.Arbitrary<Toy> = fc.record({
  seed: fc.integer(),
  vocabSize: fc.integer({ min: 3, max: 9 }),
  eosTokenIds: fc.subarray([0, 1, 2]),
  levels: fc.constantFrom(2, 5, 1000),
});
const searches: fc.Arbitrary<NaiveSearch> = fc.record({
  prompt: fc.array(fc.nat(2), { minLength: 1, maxLength: 10 }),
  beamWidth: fc.integer({ min: 1, max: 5 }),
  maxTokens: fc.integer({ min: 1, max: 6 }),
  lengthPenalty: fc.constantFrom(0, 0.5, 1, 2),
  ignoreEos: fc.boolean(),
});

suite('beam search', () => {
  test('finds what a search with the whole vocabulary at hand finds', async () => {
    await fc.assert(
      fc.asyncProperty(toys, searches, async (toy, search) => {
        const { client } = makeMemoryWorld(makeToyEngine(toy));
        const { beams, promptTokens } = await client.beamSearch(search);
        assert.deepEqual(
          beams.map(({ tokenIds, cumulativeLogprob, score }) => ({
            tokenIds,
            cumulativeLogprob,
            score,
          })),
          searchNaively(toy, search),
        );
        assert.equal(promptTokens, search.prompt.length);
        for (const { tokenIds, finishReason, text } of beams) {
          const ended = !search.ignoreEos && toy.eosTokenIds.includes(tokenIds.at(-1)!);
          assert.equal(finishReason, ended ? 'stop' : 'length');
          const visible = ended ? tokenIds.slice(0, -1) : tokenIds;
          assert.equal(text, `${search.prompt.at(-1)}>${String.fromCodePoint(...visible)}`);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('asks for one token of each beam, with the names of the request', async () => {
    const engine = makeToyEngine({ seed: 1, vocabSize: 8, eosTokenIds: [], levels: 1000 });
    const { client } = makeMemoryWorld(engine);
    const names = { requestId: 'beams', priority: 2, cacheSalt: 'pepper', clientId: 'me' };
    const request = { ...names, prompt: 'ab', beamWidth: 3, maxTokens: 2 };
    const result = await client.beamSearch(request);
    assert.equal(result.requestId, 'beams');
    assert.equal(engine.inputs.length, 1 + 3);
    for (const { sampling, prompt, ...given } of engine.inputs) {
      assert.deepEqual(given, names);
      assert.deepEqual([sampling.maxTokens, sampling.logprobs], [1, 6]);
      assert.ok(prompt.kind === 'tokens');
      assert.deepEqual(prompt.tokenIds.slice(0, 2), [0x61, 0x62]);
    }
  });

  test('refuses a width or a length that cannot be', async () => {
    const { client } = makeMemoryWorld(new CountingEngine());
    const request = { prompt: 'a', beamWidth: 2, maxTokens: 2 };
    const bad: [object, RegExp][] = [
      [{ beamWidth: 0 }, /^beamWidth must be a whole number from 1 to 64/],
      [{ beamWidth: 65 }, /^beamWidth/],
      [{ maxTokens: 0 }, /^maxTokens/],
      [{ structuredOutputs: { regex: 'a' } }, /^structuredOutputs must be absent in a beam/],
      [{ lengthPenalty: Number.POSITIVE_INFINITY }, /^lengthPenalty/],
    ];
    for (const [parameters, message] of bad) {
      const search = client.beamSearch({ ...request, ...parameters });
      await assert.rejects(search, { code: 'INVALID_ARGUMENT', message });
    }
  });

  test('a beam that fails ends the others', async () => {
    const engine = makeToyEngine({ seed: 1, vocabSize: 8, eosTokenIds: [], levels: 1000 });
    const draw = engine.generate;
    let open = 0;
    let running: (() => void) | undefined;
    const othersRun = new Promise<void>((resolve) => {
      running = resolve;
    });
    engine.generate = async function* (input, signal) {
      if (engine.inputs.length === 0) return yield* draw.call(engine, input, signal);
      engine.inputs.push(input);
      if (engine.inputs.length === 1 + 4) {
        await othersRun;
        throw new RpcError('RESOURCE_EXHAUSTED', 'the queue is full');
      }
      if (++open === 3) running!();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      open--;
      yield* [];
    };
    const { client } = makeMemoryWorld(engine, { client: { retry: false } });
    const search = client.beamSearch({ prompt: 'ab', beamWidth: 4, maxTokens: 3 });
    await assert.rejects(search, { code: 'RESOURCE_EXHAUSTED', message: /the queue is full/ });
    while (open > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(engine.inputs.length, 1 + 4, 'and no round comes after');
  });

  test('ends with the deadline of the whole and by its signal', async () => {
    const engine = new CountingEngine();
    engine.generate = async function* (_, signal) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield* [];
    };
    const { client } = makeMemoryWorld(engine);
    const request = { prompt: 'a', beamWidth: 2, maxTokens: 2 };
    const late = client.beamSearch(request, { timeoutMs: 30 });
    await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' });
    const signal = AbortSignal.abort();
    await assert.rejects(client.beamSearch(request, { signal }), { code: 'CANCELLED' });
  });

  test('gives the requests of all rounds one deadline together', async () => {
    const engine = makeToyEngine({ seed: 1, vocabSize: 8, eosTokenIds: [], levels: 1000 });
    const draw = engine.generate;
    engine.generate = async function* (input, signal) {
      await setTimeout(30);
      yield* draw.call(engine, input, signal);
    };
    const { client } = makeMemoryWorld(engine);
    const request = { prompt: [0], beamWidth: 2, maxTokens: 11 };
    const late = client.beamSearch(request, { timeoutMs: 150 });
    await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' });
    assert.ok(engine.inputs.length < 1 + 10 * 2, 'the rounds that were left are not asked for');
  });

  test('says so where the server sends no log-probabilities', async () => {
    const engine = new CountingEngine();
    const { generate } = engine;
    engine.generate = (input, signal) => {
      const sampling = { ...input.sampling, logprobs: undefined };
      return generate.call(engine, { ...input, sampling }, signal);
    };
    const { client } = makeMemoryWorld(engine);
    const search = client.beamSearch({ prompt: 'a', beamWidth: 2, maxTokens: 2 });
    await assert.rejects(search, { code: 'DATA_LOSS', message: /log-probabilities/ });
  });
});
