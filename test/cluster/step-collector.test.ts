import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type {
  Logits,
  ShardDraw,
  ShardSample,
  StepReport,
} from '../../services/cluster/messages.ts';
import { StepCollector } from '../../services/cluster/step-collector.ts';
import { GREEDY, type SamplingParams } from '../../services/core/sampling/params.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makeSequence, scheduleTokens } from '../support/scheduled-sequence.ts';
import { arbitraryReport } from '../wire/arbitraries.ts';

const VOCABULARY = 8;

const NUCLEUS = { ...GREEDY, temperature: 1, topP: 0.5 };
const COUNTERS = {
  ...{ steps: 0, bytesSent: 0, bytesReceived: 0, computeMicros: 0, communicationMicros: 0 },
  droppedFrames: 0,
};

/** Collects a step of two chips with one sampled row for each of the parameters. */
function makeCollector(...samplings: SamplingParams[]): StepCollector {
  const sequences = samplings.map((sampling, id) => {
    const request = makeGenerationRequest({ promptTokens: [1, 2], sampling });
    return scheduleTokens(makeSequence({ request, id }), { start: 0, end: 2, admitted: true });
  });
  const scheduled = { sequences, released: [] };
  return new StepCollector({
    ...{ step: 5, scheduled, ranks: 2, beganMicros: 0, vocabSize: VOCABULARY },
  });
}

function report(rank: number, ...samples: ShardSample[]): StepReport {
  const identity = { rank, epoch: 1, step: 5, digest: 9, counters: COUNTERS };
  return { kind: 'report', ...identity, samples, prompt: [], tokens: [], times: undefined };
}

function logits(fields: Partial<Logits>): Logits {
  const identity = { kind: 'shardLogits', rank: 0, epoch: 1, step: 5, sample: 0 } as const;
  return { ...identity, logits: new Float32Array(VOCABULARY / 2), raw: undefined, ...fields };
}

function candidate(token: number, score = 1): ShardSample {
  return { draw: { kind: 'candidate', candidate: { token, score } }, logprobs: undefined };
}

/** A leaf of which only one token is told: it proves nothing. */
function nucleus(token: number): ShardDraw & { readonly kind: 'nucleus' } {
  const leaves = [{ candidates: [{ token, score: 0 }], exhaustive: false }];
  return { kind: 'nucleus', mass: { maximum: 0, sum: 4 }, leaves };
}

const unproven = (token: number): ShardSample => ({ draw: nucleus(token), logprobs: undefined });

function askForLogits(): StepCollector {
  const collector = makeCollector(GREEDY, NUCLEUS);
  assert.equal(collector.addReport(report(0, candidate(3), unproven(0))), 'waiting');
  assert.equal(collector.addReport(report(1, candidate(4), unproven(4))), 'unproven');
  assert.deepEqual(collector.unproven, [1]);
  return collector;
}

suite('collecting the reports on a step', () => {
  test('draws once every chip has reported, whatever comes twice or from nobody', () => {
    const collector = makeCollector(GREEDY);
    assert.deepEqual(collector.silent, [0, 1]);
    assert.equal(collector.addReport(report(1, candidate(6, 2))), 'waiting');
    assert.equal(collector.addReport(report(1, candidate(7, 9))), 'waiting');
    assert.equal(collector.addReport(report(2, candidate(7, 9))), 'waiting');
    assert.deepEqual(collector.silent, [0]);
    assert.equal(collector.addReport(report(0, candidate(1, 2))), 'complete');
    assert.deepEqual(collector.drawn, [{ token: 1, logprobs: undefined }]);
  });

  test('says where the activations differ', () => {
    const collector = makeCollector(GREEDY);
    collector.addReport(report(0, candidate(1)));
    assert.equal(collector.addReport({ ...report(1, candidate(5)), digest: 8 }), 'divergent');
    assert.equal(collector.problem, "the chips' activations differ after step 5");
  });

  const told = (token: number): ShardSample['logprobs'] => ({
    mass: { maximum: 0, sum: 1 },
    logits: [{ token, score: 0 }],
  });
  const wrong: [string, SamplingParams, ShardSample[]][] = [
    ['no sample', GREEDY, []],
    ['two samples for one', GREEDY, [candidate(1), candidate(1)]],
    ['a nucleus where a winner is asked for', GREEDY, [unproven(1)]],
    ['a winner where a nucleus is asked for', NUCLEUS, [candidate(1)]],
    ['a winner that the vocabulary lacks', GREEDY, [candidate(VOCABULARY)]],
    ['a nucleus that the vocabulary lacks', NUCLEUS, [unproven(VOCABULARY)]],
    ['log-probabilities unasked', GREEDY, [{ ...candidate(1), logprobs: told(1) }]],
    ['no log-probabilities', { ...GREEDY, logprobs: 1 }, [candidate(1)]],
    [
      'log-probabilities that the vocabulary lacks',
      { ...GREEDY, logprobs: 1 },
      [{ ...candidate(1), logprobs: told(VOCABULARY) }],
    ],
  ];
  for (const [what, sampling, samples] of wrong) {
    test(`refuses ${what}`, () => {
      const collector = makeCollector(sampling);
      assert.equal(collector.addReport(report(1, ...samples)), 'divergent');
      assert.equal(collector.problem, 'chip 1 reported other samples than step 5 has');
    });
  }

  test('refuses what no token follows from', () => {
    const none: ShardSample = {
      draw: { kind: 'candidate', candidate: undefined },
      logprobs: undefined,
    };
    const untold = { ...candidate(1), logprobs: told(2) };
    for (const [sampling, sample] of [
      [GREEDY, none],
      [{ ...GREEDY, logprobs: 1 }, untold],
    ] satisfies [SamplingParams, ShardSample][]) {
      const collector = makeCollector(sampling);
      collector.addReport(report(0, sample));
      assert.equal(collector.addReport(report(1, sample)), 'divergent');
      assert.equal(collector.problem, "no token follows from the chips' reports on step 5");
    }
  });

  test('takes rows of logits in any order, and ignores what it did not ask for', () => {
    const collector = askForLogits();
    assert.deepEqual(collector.silent, [0, 1]);
    const peak = Float32Array.of(0, 0, 90, 0);
    for (const surplus of [
      logits({ sample: 0 }),
      logits({ sample: 2 }),
      logits({ sample: 1, rank: 2 }),
      logits({ sample: 1, raw: new Float32Array(3) }),
    ]) {
      assert.equal(collector.addLogits(surplus), 'waiting');
    }
    assert.deepEqual(collector.silent, [0, 1]);
    assert.equal(collector.addLogits(logits({ sample: 1, rank: 1, logits: peak })), 'waiting');
    assert.equal(collector.addLogits(logits({ sample: 1, rank: 1 })), 'waiting');
    assert.deepEqual(collector.silent, [0]);
    assert.equal(collector.addReport(report(0, candidate(3), unproven(0))), 'waiting');
    assert.equal(collector.addLogits(logits({ sample: 1 })), 'complete');
    assert.deepEqual(
      collector.drawn.map(({ token }) => token),
      [3, 6],
    );
  });

  test('waits for a row anew whose parts are no vocabulary', () => {
    const collector = askForLogits();
    for (const length of [0, VOCABULARY]) {
      const part = { sample: 1, logits: new Float32Array(length) };
      assert.equal(collector.addLogits(logits(part)), 'waiting');
      assert.equal(collector.addLogits(logits({ ...part, rank: 1 })), 'waiting');
      assert.deepEqual(collector.silent, [0, 1]);
    }
    collector.addLogits(logits({ sample: 1 }));
    assert.equal(collector.addLogits(logits({ sample: 1, rank: 1 })), 'complete');
  });

  test('never throws, whatever well-formed reports come', () => {
    const samplings = [GREEDY, NUCLEUS, { ...NUCLEUS, minP: 0.5, topK: 3, logprobs: 2 }];
    const word = fc.nat({ max: 3 });
    const property = fc.property(
      fc.subarray(samplings),
      fc.array(fc.tuple(arbitraryReport, word, word), { maxLength: 12 }),
      (chosen, reports) => {
        const collector = makeCollector(...chosen);
        const states = reports.map(([any, rank, sample]) => {
          if (any.kind === 'report') return collector.addReport({ ...any, rank, digest: 9 });
          return any.kind === 'shardLogits' && collector.addLogits({ ...any, rank, sample });
        });
        if (states.includes('complete')) assert.equal(collector.drawn.length, chosen.length);
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });
});
