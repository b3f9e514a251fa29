import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  ownerOfToken,
  planShard,
  type Range,
  type ShardPlan,
  TENSOR_PARALLEL_DEGREES,
} from '../../services/core/model/shard-plan.ts';
import { arbitraryConfig, makeConfig } from './model-configs.ts';

const arbitraryDegree = fc.constantFrom(...TENSOR_PARALLEL_DEGREES);

function planAll(config: Parameters<typeof planShard>[0], degree: number): ShardPlan[] {
  return Array.from({ length: degree }, (_, rank) => planShard(config, degree, rank));
}

function indicesOf({ start, end }: Range): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

function countTo(total: number): number[] {
  return indicesOf({ start: 0, end: total });
}

suite('the shard plan', () => {
  test('leaves cover heads, channels and tokens once and in order, and are the same at every degree', () => {
    const property = fc.property(arbitraryConfig, arbitraryDegree, (config, degree) => {
      const plans = planAll(config, degree);
      const leaves = plans.flatMap((plan) => plan.leaves);
      assert.equal(leaves.length, config.reductionLeaves);
      const heads = leaves.flatMap(({ queryHeads }) => indicesOf(queryHeads));
      const channels = leaves.flatMap((leaf) => indicesOf(leaf.channels));
      const tokens = leaves.flatMap((leaf) => indicesOf(leaf.tokens));
      assert.deepEqual(heads, countTo(config.heads));
      assert.deepEqual(channels, countTo(config.intermediateSize));
      assert.deepEqual(tokens, countTo(config.vocabSize));
      assert.deepEqual(leaves, planShard(config, 1, 0).leaves);
      for (const plan of plans) {
        const own = plan.leaves.flatMap(({ queryHeads }) => indicesOf(queryHeads));
        assert.deepEqual(indicesOf(plan.queryHeads), own);
        const ownTokens = plan.leaves.flatMap((leaf) => indicesOf(leaf.tokens));
        assert.deepEqual(indicesOf(plan.tokens), ownTokens);
      }
    });
    fc.assert(property);
  });

  test('a token belongs to the chip whose range it lies in', () => {
    const property = fc.property(arbitraryConfig, arbitraryDegree, (config, degree) => {
      for (const { rank, tokens } of planAll(config, degree)) {
        for (const token of indicesOf(tokens)) {
          assert.equal(ownerOfToken(config, degree, token), rank);
        }
      }
    });
    fc.assert(property, { numRuns: 40 });
  });

  test('a chip holds the KV heads that its queries read and no others, and maps each query to its own', () => {
    const property = fc.property(arbitraryConfig, arbitraryDegree, (config, degree) => {
      const group = config.heads / config.kvHeads;
      for (const { queryHeads, kvHeads, headMap } of planAll(config, degree)) {
        const read = indicesOf(queryHeads).map((head) => Math.floor(head / group));
        assert.deepEqual(indicesOf(kvHeads), [...new Set(read)]);
        assert.deepEqual(
          headMap.map((local) => kvHeads.start + local),
          read,
        );
      }
    });
    fc.assert(property);
  });

  test('a degree that the leaves do not allow is refused with the valid ones', () => {
    assert.throws(() => planShard(makeConfig(), 3, 0), {
      name: 'InvalidArgumentError',
      message: /^tp must be one of 1, 2, 4, 8, not 3/,
    });
    assert.throws(() => planShard(makeConfig({ reductionLeaves: 4 }), 8, 0), {
      message: /^tp must be one of 1, 2, 4, not 8: the model's products are split into 4 leaves$/,
    });
  });
});
