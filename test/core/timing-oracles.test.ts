import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  flopsPerProcessedToken,
  kvElementsPerToken,
} from '../../services/core/architecture/parameters.ts';
import { CALIBRATION } from '../../services/core/timing/calibration.ts';
import type {
  AllReduceWays,
  KernelParameters,
} from '../../services/core/timing/calibration-model.ts';
import { makeCollectivePricer } from '../../services/core/timing/collectives.ts';
import { makeStepShape } from '../../services/core/timing/step-shape.ts';
import { LLAMA_70B, makePricer, makeRates } from '../support/pricing.ts';

const within = (actual: number, expected: number, share: number): void =>
  assert.ok(Math.abs(actual / expected - 1) <= share, `${actual} is about ${expected}`);

/** 2,048 tokens in, 128 out: the benchmark of the claim of 500,000 tokens/s on 8 chips. */
const CLAIM = { inputTokens: 2048, outputTokens: 128 };
const CLAIMED_TOKENS_PER_SECOND = 500_000;
const PASSED_TOKENS = 2176;

/** A step of one prompt and 127 decoding sequences: 2,175 tokens. */
const MIXED_STEP = makeStepShape({
  prefill: [{ newTokens: 2048, contextTokens: 0 }],
  decodeSequences: 127,
  decodeContextTokens: 127 * 2112,
});

suite('FLOPs and bytes, counted by hand', () => {
  test('139.9 GFLOP for each processed token of Llama-3-70B, 2,048 in and 128 out', () => {
    // body 68.45e9 × 2 + head 1.05e9 × 2 × 128 / 2,176 + attention 4 × 64 × 128 × 80 × 2,176 / 2
    within(flopsPerProcessedToken(LLAMA_70B, CLAIM), 139.9e9, 0.001);
  });

  test('163,840 bytes of fp8 keys and values for each token', () => {
    assert.equal(kvElementsPerToken(LLAMA_70B), 2 * 80 * 8 * 128);
  });

  test('304 TFLOP and 72 GB: the roofline of the announcement, with its own figures', () => {
    const flops = (2048 + 127) * 70e9 * 2;
    within(flops, 304e12, 0.002);
    const announced = {
      ...LLAMA_70B,
      groups: LLAMA_70B.groups.map((group) => ({ ...group, layers: 64 })),
    };
    within(127 * 2175 * kvElementsPerToken(announced) * 2, 72.4e9, 0.001);
    // Ours for that step: every layer of every token, the head on the 128 sampled rows alone.
    const step = makePricer().price(MIXED_STEP);
    const body = 2 * 68.45e9 * 2175;
    const head = 2 * 1.0507e9 * 128;
    const attention = 4 * 64 * 128 * 80 * (2048 ** 2 / 2 + 127 * 2112);
    within(8 * step.flops, body + head + attention, 0.001);
  });

  test('8.74 PFLOP/s a chip sustain the claim', () => {
    const perChip = (flopsPerProcessedToken(LLAMA_70B, CLAIM) * CLAIMED_TOKENS_PER_SECOND) / 8;
    within(perChip, 8.74e15, 0.001);
  });

  test('decoding reads 10.17 TB/s of keys and values in the server at the claimed rate', () => {
    const lines = makePricer().explain(MIXED_STEP);
    const read = lines.find(({ name }) => name === 'generation_attention')!.memoryBytes;
    const outputs = (CLAIMED_TOKENS_PER_SECOND * 128) / PASSED_TOKENS;
    within(((8 * read) / 127) * outputs, 10.17e12, 0.002);
  });

  test('3.28 TB/s of HBM a chip at 127 sequences: weights and keys, once a step', () => {
    const lines = makePricer().explain(MIXED_STEP);
    const read = lines.find(({ name }) => name === 'generation_attention')!.memoryBytes;
    const weights = (68.45e9 + 2 * 1.05e9) / 8;
    const steps = CLAIMED_TOKENS_PER_SECOND / 2175;
    within((weights + read) * steps, 3.28e12, 0.01);
  });

  test('2.29 TB/s of ring all-reduce a chip and direction at the claimed rate', () => {
    const { linkBytes } = makePricer().price({ ...MIXED_STEP, sampledRows: 0 });
    const perToken = linkBytes / 2175;
    within(perToken, 2 * (7 / 8) * 2.62e6, 0.01);
    within(perToken * CLAIMED_TOKENS_PER_SECOND, 2.29e12, 0.01);
  });
});

suite('an all-reduce', () => {
  const ways: AllReduceWays = {
    oneShot: { latencyMicros: 5, efficiency: 1 },
    twoShot: { latencyMicros: 10, efficiency: 1 },
    pipelined: { latencyMicros: 50, efficiency: 1 },
  };
  const kernels: KernelParameters = {
    ...CALIBRATION.kernels,
    allReduce: { 2: ways, 4: ways, 8: ways },
  };

  test('is the cheapest of one shot, two shots and a reduction in the switch', () => {
    const rates = makeRates('H100'); // 450 GB/s
    const { allReduceSeconds } = makeCollectivePricer(rates, kernels, 8);
    within(allReduceSeconds(45_000), 5e-6 + (7 * 45_000) / 450e9, 1e-9);
    within(allReduceSeconds(4.5e6), 10e-6 + (1.75 * 4.5e6) / 450e9, 1e-9);
    within(allReduceSeconds(450e6), 50e-6 + (1.125 * 450e6) / 450e9, 1e-9);
    assert.equal(allReduceSeconds(0), 0);
  });

  test('goes by the size of the payload where an engine does, and may leave two shots out', () => {
    const rates = makeRates('H100'); // 450 GB/s
    const bySize = makeCollectivePricer(rates, kernels, 8, 'by_size').allReduceSeconds;
    within(bySize(499_000), 5e-6 + (7 * 499_000) / 450e9, 1e-9);
    within(bySize(7.9e6), 10e-6 + (1.75 * 7.9e6) / 450e9, 1e-9);
    within(bySize(8.1e6), 50e-6 + (1.125 * 8.1e6) / 450e9, 1e-9);
    const without = makeCollectivePricer(rates, kernels, 8, 'by_size_without_two_shot');
    within(without.allReduceSeconds(7.9e6), 50e-6 + (1.125 * 7.9e6) / 450e9, 1e-9);
    const pair = makeCollectivePricer(rates, kernels, 2, 'by_size').allReduceSeconds;
    within(pair(15.9e6), 5e-6 + 15.9e6 / 450e9, 1e-9);
    within(pair(16.1e6), 50e-6 + 16.1e6 / 450e9, 1e-9);
  });

  test('takes every hop of a ring', () => {
    const rates = makeRates('TPU v6e'); // 400 GB/s
    const { allReduceSeconds } = makeCollectivePricer(rates, kernels, 4);
    within(allReduceSeconds(4e6), 6 * 5e-6 + (1.5 * 4e6) / 400e9, 1e-9);
  });

  test('has only a part of a mesh’s links in a part of the server', () => {
    const rates = makeRates('MI300X'); // 448 GB/s over seven links
    const { allReduceSeconds } = makeCollectivePricer(rates, kernels, 2);
    within(allReduceSeconds(64e6), 5e-6 + 64e6 / 64e9, 1e-9);
  });

  test('crosses the network where the group is larger than a server', () => {
    const rates = makeRates('H100'); // 50 GB/s between servers
    const inside = makeCollectivePricer(rates, kernels, 8).allReduceSeconds(450e6);
    const across = makeCollectivePricer(rates, kernels, 16).allReduceSeconds(450e6);
    within(across - inside, 20e-6 + 450e6 / 8 / 50e9, 1e-6);
  });

  test('costs nothing for one chip', () => {
    const { allReduceSeconds, allGatherSeconds } = makeCollectivePricer(
      makeRates('H100'),
      kernels,
      1,
    );
    assert.equal(allReduceSeconds(1e9) + allGatherSeconds(1e9), 0);
  });
});
