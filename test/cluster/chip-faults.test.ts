import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { DropReason } from '../../services/cluster/exchange-runner.ts';
import type { Logits, Report, StepReport } from '../../services/cluster/messages.ts';
import { decodeReport, encodeReport } from '../../services/wire/report-codec.ts';
import { makeRandom, writeHfCheckpoint } from '../support/checkpoint-files.ts';
import type { GenerateOptions } from '../support/memory-cluster.ts';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { type FaultRates, makeFaultyNetwork, makeSilentChip, NO_FAULTS } from './faulty-network.ts';
import { type Network, type Outcome, RELIABLE, VirtualGroup } from './virtual-group.ts';

const REQUESTS: readonly GenerateOptions[] = [
  { prompt: [3, 1, 4, 1, 5, 9, 2, 6], maxTokens: 4 },
  { prompt: [7], maxTokens: 3 },
  {
    prompt: [2, 7, 1, 8],
    maxTokens: 5,
    sampling: { temperature: 0.9, topP: 0.8, topK: 0, seed: 11 },
  },
];

function writeModel(t: TestContext, config: Record<string, unknown> = {}): string {
  const directory = makeTemporaryDirectory(t);
  writeHfCheckpoint(directory, { config, seed: 5 });
  return directory;
}

function tokensOf(group: VirtualGroup, requests = REQUESTS): number[][] {
  return group.generate(requests).map(({ tokens, failure }) => {
    assert.equal(failure, undefined);
    return tokens;
  });
}

async function tokensOnOneChip(model: string, requests = REQUESTS): Promise<number[][]> {
  return tokensOf(await VirtualGroup.start({ model, tp: 1 }), requests);
}

/** Changes what a chip reports. */
function editReports(edit: (report: Report) => Report): typeof RELIABLE {
  return {
    ...RELIABLE,
    report: (data, rank) => RELIABLE.report(encodeReport(edit(decodeReport(data)!)), rank),
  };
}

suite('frames between chips', () => {
  test('whatever happens to them, the tokens are the same', async (t) => {
    const model = writeModel(t);
    const expected = await tokensOnOneChip(model);
    const rate = fc.integer({ min: 0, max: 8 });
    const arbitraryRates: fc.Arbitrary<FaultRates> = fc.record({
      corrupt: rate,
      truncate: rate,
      replace: rate,
      duplicate: rate,
      delay: rate,
      drop: rate,
    });
    const property = fc.asyncProperty(
      fc.constantFrom(2, 4, 8),
      arbitraryRates,
      fc.nat(),
      async (tp, rates, seed) => {
        const group = await VirtualGroup.start({ model, tp });
        group.network = makeFaultyNetwork(rates, makeRandom(seed));
        assert.deepEqual(tokensOf(group), expected);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  const reasonsOf: Record<keyof FaultRates, DropReason[]> = {
    corrupt: ['corrupt', 'malformed'],
    truncate: ['corrupt', 'malformed'],
    replace: ['corrupt', 'malformed'],
    duplicate: ['duplicate', 'stale'],
    delay: ['duplicate', 'unexpected', 'stale'],
    drop: [],
  };
  for (const fate of Object.keys(reasonsOf) as (keyof FaultRates)[]) {
    test(`${fate} alone is survived, and counted as what it is`, async (t) => {
      const model = writeModel(t);
      const expected = await tokensOnOneChip(model);
      const group = await VirtualGroup.start({ model, tp: 4 });
      group.network = makeFaultyNetwork({ ...NO_FAULTS, [fate]: 15 }, makeRandom(1));
      assert.deepEqual(tokensOf(group), expected);
      group.pass(1e6); // whatever is still on its way
      assert.equal(group.dropsOf(...reasonsOf[fate]) > 0, fate !== 'drop');
      const damaged = fate === 'corrupt' || fate === 'truncate' || fate === 'replace';
      assert.equal(group.dropsOf('corrupt', 'malformed') > 0, damaged);
    });
  }

  test('those of an epoch that is over are stale', async (t) => {
    const model = writeModel(t);
    const expected = await tokensOnOneChip(model);
    const group = await VirtualGroup.start({ model, tp: 4 });
    const recorded: Uint8Array[] = [];
    group.network = {
      ...RELIABLE,
      frame: (data, route) => {
        recorded.push(data.slice());
        return RELIABLE.frame(data, route);
      },
    };
    tokensOf(group);
    group.network = editReports((report) =>
      report.kind === 'report' && report.rank === 1 ? { ...report, digest: 1 } : report,
    );
    assert.match(group.generate(REQUESTS)[0]!.failure!, /activations differ/);
    let next = 0;
    group.network = {
      ...RELIABLE,
      frame: (data, route) => {
        const old = recorded[next++ % recorded.length]!;
        return [...RELIABLE.frame(old, route), ...RELIABLE.frame(data, route)];
      },
    };
    const before = group.dropsOf('stale');
    assert.deepEqual(tokensOf(group), expected);
    assert.equal(group.dropsOf('stale') - before, next);
  });
});

suite('a group with a broken chip', () => {
  for (const silent of [0, 3]) {
    test(`chip ${silent} falls silent: its requests go on when it is heard again`, async (t) => {
      const model = writeModel(t);
      const expected = await tokensOnOneChip(model);
      const group = await VirtualGroup.start({ model, tp: 4 });
      assert.deepEqual(tokensOf(group), expected);
      const submitted = REQUESTS.map((request) => group.submit(request));
      group.run(() => submitted.some(({ outcome }) => outcome.tokens.length > 0));
      group.network = makeSilentChip(silent);
      group.run(() => group.stepFailures.length > 0);
      // A chip that waits for the silent one reports nothing either.
      const [message] = group.stepFailures;
      assert.match(
        message!,
        /^step \d+ was not completed within 10 s: no report from chip [\d, ]+$/,
      );
      assert.ok(message!.includes(`${silent}`));
      group.pass(5e6);
      assert.equal(group.coordinator.ready, false);
      group.network = RELIABLE;
      group.run(() => submitted.every(({ outcome }) => outcome.done));
      assert.deepEqual(
        submitted.map(({ outcome }) => outcome.tokens),
        expected,
      );
    });
  }

  test('a chip that starts anew at any moment costs no request a token', async (t) => {
    const model = writeModel(t);
    const expected = await tokensOnOneChip(model);
    const group = await VirtualGroup.start({ model, tp: 4 });
    const arbitraryRestart = fc.record({
      rank: fc.nat({ max: 3 }),
      delayMicros: fc.nat({ max: 20_000 }),
    });
    const property = fc.property(
      fc.array(arbitraryRestart, { minLength: 1, maxLength: 3 }),
      (restarts) => {
        const submitted = REQUESTS.map((request) => group.submit(request));
        for (const { rank, delayMicros } of restarts) {
          group.pass(delayMicros);
          group.restart(rank);
        }
        group.run(() => submitted.every(({ outcome }) => outcome.done));
        assert.deepEqual(
          submitted.map(({ outcome }) => outcome.tokens),
          expected,
        );
        assert.equal(group.coordinator.scheduler!.usedBlocks, 0);
      },
    );
    fc.assert(property, { numRuns: 40 });
    assert.ok(group.stepFailures.includes('chip 2 was started anew'));
  });

  test('requests that come while a chip is away wait for it', async (t) => {
    const model = writeModel(t);
    const expected = await tokensOnOneChip(model);
    const group = await VirtualGroup.start({ model, tp: 2 });
    group.network = makeSilentChip(1);
    const early = REQUESTS.map((request) => group.submit(request));
    group.run(() => group.stepFailures.length > 0);
    group.network = {
      ...RELIABLE,
      report: (data, rank) => (rank === 1 ? [] : RELIABLE.report(data, rank)),
    };
    group.pass(1e6);
    assert.equal(group.coordinator.ready, false);
    const late = REQUESTS.map((request) => group.submit(request));
    group.network = RELIABLE;
    const all = [...early, ...late];
    group.run(() => all.every(({ outcome }) => outcome.done));
    assert.deepEqual(
      all.map(({ outcome }) => outcome.tokens),
      [...expected, ...expected],
    );
  });

  test('activations that differ once are computed anew, with the same tokens', async (t) => {
    const model = writeModel(t);
    const group = await VirtualGroup.start({ model, tp: 4 });
    let reports = 0;
    group.network = editReports((report) => {
      const isWrong = report.kind === 'report' && report.rank === 2 && ++reports % 3 === 0;
      return isWrong ? { ...report, digest: report.digest ^ 1 } : report;
    });
    assert.deepEqual(tokensOf(group), await tokensOnOneChip(model));
    assert.match(group.stepFailures[0]!, /^the chips' activations differ after step 3$/);
  });

  test('activations that keep differing fail the requests, and the next epoch is sound', async (t) => {
    const model = writeModel(t);
    const group = await VirtualGroup.start({ model, tp: 4 });
    group.network = editReports((report) =>
      report.kind === 'report' && report.rank === 2
        ? { ...report, digest: report.digest ^ 1 }
        : report,
    );
    for (const { failure, tokens } of group.generate(REQUESTS)) {
      assert.match(failure!, /^the chips' activations differ after step 1$/);
      assert.deepEqual(tokens, []);
    }
    assert.equal(group.stepFailures.length, 3);
    group.network = RELIABLE;
    assert.deepEqual(tokensOf(group), await tokensOnOneChip(model));
  });
});

suite('reports that are no answer', () => {
  const edits: [string, (report: StepReport) => StepReport][] = [
    ['lack their samples', (report) => ({ ...report, samples: [] })],
    [
      'name no candidate',
      (report) => ({
        ...report,
        samples: report.samples.map(() => ({
          ...{ draw: { kind: 'candidate', candidate: undefined }, logprobs: undefined },
        })),
      }),
    ],
    [
      'answer what nobody asked',
      (report) => ({
        ...report,
        samples: report.samples.map(({ draw }) => ({
          ...{ draw, logprobs: { mass: { maximum: 0, sum: 1 }, logits: [] } },
        })),
      }),
    ],
  ];
  for (const [what, edit] of edits) {
    test(`fail the step where they ${what}, and the next epoch is sound`, async (t) => {
      const model = writeModel(t);
      const group = await VirtualGroup.start({ model, tp: 4 });
      group.network = editReports((report) => (report.kind === 'report' ? edit(report) : report));
      for (const { failure, tokens } of group.generate(REQUESTS)) {
        assert.ok(failure !== undefined);
        assert.deepEqual(tokens, []);
      }
      group.network = RELIABLE;
      assert.deepEqual(tokensOf(group), await tokensOnOneChip(model));
    });
  }
});

suite('requests that are cancelled', () => {
  test('leave the others as they are, and free their blocks', async (t) => {
    const model = writeModel(t);
    const expected = await tokensOnOneChip(model);
    const group = await VirtualGroup.start({ model, tp: 4 });
    const property = fc.property(
      fc.array(fc.record({ index: fc.nat({ max: 2 }), delayMicros: fc.nat({ max: 20_000 }) })),
      (cancellations) => {
        const submitted = REQUESTS.map((request) => group.submit(request));
        for (const { index, delayMicros } of cancellations) {
          group.pass(delayMicros);
          const { sequence, outcome } = submitted[index]!;
          if (!outcome.done) group.coordinator.cancel(sequence);
        }
        const cancelled = new Set(cancellations.map(({ index }) => index));
        const others = submitted.filter((_, index) => !cancelled.has(index));
        group.run(() => others.every(({ outcome }) => outcome.done));
        submitted.forEach(({ outcome: { tokens } }, index) => {
          const whole = expected[index]!;
          assert.deepEqual(tokens, cancelled.has(index) ? whole.slice(0, tokens.length) : whole);
        });
        group.pass(100_000);
        assert.equal(group.coordinator.scheduler!.usedBlocks, 0);
      },
    );
    fc.assert(property, { numRuns: 40 });
  });
});

suite('a nucleus that candidates do not prove', () => {
  /** A flat distribution, once as the model has it and once penalised, with log-probabilities. */
  const flat = [1, 2, 3, 4].map((seed) => ({
    prompt: [seed, 600, 5],
    maxTokens: 6,
    sampling: {
      ...{ temperature: 50, topP: 0.99, seed, logprobs: seed },
      ...(seed % 2 === 0 ? { presencePenalty: 2, repetitionPenalty: 1.5 } : {}),
    },
  }));

  test('is settled by the whole logits, with the same tokens at every degree', async (t) => {
    const model = writeModel(t, { vocab_size: 611 });
    const runs: Outcome[][] = [];
    for (const tp of [1, 2, 4, 8]) {
      const group = await VirtualGroup.start({ model, tp });
      runs.push(group.generate([...flat, ...REQUESTS]));
      assert.ok(group.commands.logits >= 6, `${group.commands.logits} gathers`);
    }
    for (const run of runs) assert.deepEqual(run, runs[0]);
    const drawn = runs[0]!.flatMap(({ tokens }) => tokens);
    assert.ok(new Set(drawn).size > 10, 'a flat distribution spreads its draws');
    assert.equal(runs[0]![3]!.logprobs[5]!.top.length, 4);
  });

  test('names the chip whose row is lost, and goes on; one that comes twice does no harm', async (t) => {
    const model = writeModel(t, { vocab_size: 611 });
    const group = await VirtualGroup.start({ model, tp: 4 });
    const carryRows = (copies: (report: Logits) => number): Network => ({
      ...RELIABLE,
      report: (data, rank) => {
        const report = decodeReport(data)!;
        const count = report.kind === 'shardLogits' ? copies(report) : 1;
        return Array.from({ length: count }, () => RELIABLE.report(data, rank)).flat();
      },
    });
    group.network = carryRows(() => 2);
    const expected = group.generate(flat);
    group.network = carryRows(({ rank, sample }) => (rank === 2 && sample === 1 ? 0 : 1));
    const submitted = flat.map((request) => group.submit(request));
    group.run(() => group.stepFailures.length > 0);
    assert.match(
      group.stepFailures[0]!,
      /^step \d+ was not completed within 10 s: no report from chip 2$/,
    );
    group.network = RELIABLE;
    group.run(() => submitted.every(({ outcome }) => outcome.done));
    assert.deepEqual(
      submitted.map(({ outcome }) => outcome),
      expected,
    );
  });
});
