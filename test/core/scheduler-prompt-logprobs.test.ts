import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { SchedulerBench } from '../support/scheduler-bench.ts';

suite('prompts whose log-probabilities are wanted', () => {
  const asking = { sampling: { promptLogprobs: 0 } };

  test('have the rows of logits that nobody else may need, and one of their own', () => {
    const bench = new SchedulerBench({ maxNumSeqs: 5, maxNumBatchedTokens: 100 });
    bench.add({ prompt: 4 });
    bench.add({ prompt: 20, ...asking });
    bench.add({ prompt: 9, ...asking });
    // Two rows are spare: the first that asks has them.
    assert.deepEqual(bench.step(), [
      [1, 0, 4],
      [2, 0, 3],
      [3, 0, 1],
    ]);
    for (let i = 0; i < 3; i++) bench.add({ prompt: 2 });
    assert.deepEqual(bench.step(), [
      [1, 4, 1],
      [2, 3, 1],
      [3, 1, 1],
      [4, 0, 2],
      [5, 0, 2],
    ]);
  });

  test('need no row for what is known of them, and may then read the prefix cache', () => {
    const bench = new SchedulerBench({ maxNumSeqs: 4, maxNumBatchedTokens: 100 });
    const sequence = bench.add({ prompt: 9, ...asking });
    assert.deepEqual(bench.step(), [[1, 0, 4]]);
    assert.deepEqual(bench.step(), [[1, 4, 4]]);
    bench.scheduler.loseMemory();
    // Eight tokens are told: the last row samples.
    assert.deepEqual(bench.step(), [[1, 0, 9]]);
    assert.equal(sequence.toldPromptTokens, 9);
    const again = bench.add({ prompt: 9, ...asking, promptTokens: sequence.request.promptTokens });
    assert.deepEqual(bench.step()[1], [2, 0, 3]);
    assert.equal(again.cachedTokens, 0);
  });

  test('leave the steps of others as they are', () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat(11), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 6 }),
      (prompts, askers, maxNumSeqs) => {
        const others = (asks: boolean): string[] => {
          const bench = new SchedulerBench({
            maxNumSeqs,
            maxNumBatchedTokens: 1000,
            kvBlocks: 400,
          });
          const ids = prompts.map((prompt, index) => {
            const isAsker = askers.includes(index);
            // An asker outlasts the others, so that it keeps its place as long either way.
            const fields = isAsker ? { maxTokens: 200, ...(asks && asking) } : { maxTokens: 5 };
            return { isAsker, id: bench.add({ prompt, ...fields }).id };
          });
          const own = new Set(ids.filter(({ isAsker }) => !isAsker).map(({ id }) => id));
          return Array.from({ length: 40 }, () => {
            const step = bench.scheduler.schedule(0);
            if (step === undefined) return '';
            const { sequences } = step;
            const rows = sequences.map(
              ({ sample, promptTargets: { start, end } }) => end - start + Number(sample),
            );
            assert.ok(rows.reduce((sum, count) => sum + count, 0) <= maxNumSeqs);
            bench.complete(step);
            const theirs = sequences.filter(({ sequence }) => own.has(sequence.id));
            return theirs
              .map(({ sequence, start, count }) => [sequence.id, start, count].join())
              .join(';');
          });
        };
        assert.deepEqual(others(true), others(false));
      },
    );
    fc.assert(property);
  });
});
