import type { LayerGroup } from '../core/architecture/architecture.ts';
import { H100 } from '../core/hardware/chips/h100.ts';
import {
  type AttentionOptions,
  makeContextAttention,
  makeGenerationAttention,
} from '../core/timing/attention-operators.ts';
import type { KernelParameters } from '../core/timing/calibration-model.ts';
import { ratesOf } from '../core/timing/chip-rates.ts';
import { makeCollectivePricer } from '../core/timing/collectives.ts';
import { type GemmOptions, makeGemm, type Routing } from '../core/timing/gemm-operator.ts';
import { makeCost, type Operator } from '../core/timing/operator.ts';
import { weightBytesOf } from '../core/timing/precision.ts';
import { makeRecordedGraphs } from '../core/timing/recorded-graphs.ts';
import { attentionRatesOf, gemmRatesOf } from '../core/timing/step-operators.ts';
import { makeStepShape, type StepShape } from '../core/timing/step-shape.ts';
import type { MeasuredGrouped } from './chip-measurements.ts';
import type { MeasuredAllReduce, MeasuredAttention, MeasuredGemm } from './measured-operators.ts';

/** Times of single operators on the measured chip, by the same code that prices steps. */
export interface OperatorTimer {
  readonly gemm: (row: MeasuredGemm) => number;
  readonly grouped: (row: MeasuredGrouped) => number;
  readonly attention: (row: MeasuredAttention) => number;
  readonly allReduce: (row: MeasuredAllReduce) => number;
}

/** The attention of the measured model, before it is split. */
const ATTENTION: LayerGroup = {
  layers: 1,
  crossTokens: 0,
  attention: { kind: 'grouped', heads: 64, kvHeads: 8, headDim: 128 },
  feedForward: { kind: 'dense', intermediateSize: 28_672, gated: true },
};

/** Predicts measured operators from parameters. */
export function makeOperatorTimer(
  kernels: KernelParameters,
  quantisationShare: 0 | 1,
): OperatorTimer {
  const rates = ratesOf(H100, kernels, 'middle');
  const gemmRates = (grouped: boolean) => ({
    fp8: gemmRatesOf({ format: 'fp8', grouped, rates, kernels, quantisationShare }),
    bf16: gemmRatesOf({ format: 'bf16', grouped, rates, kernels, quantisationShare }),
  });
  const single = gemmRates(false);
  const grouped = gemmRates(true);
  const attentionOptions = (tp: number, kvBytes: number, narrow: boolean): AttentionOptions => ({
    group: ATTENTION,
    times: 1,
    tp,
    kvBytes,
    kernels,
    rates: attentionRatesOf(rates, kernels, { weights: 'fp8', narrow, kvBytes }),
  });
  const collectives = new Map(
    [2, 4, 8].map((tp) => [tp, makeCollectivePricer(rates, kernels, tp)] as const),
  );
  return {
    gemm: ({ format, rows, inputs, outputs }) =>
      productSeconds({ inputs, outputs, format, rates: single[format] }, rows),
    grouped: ({ format, tokens, experts, active, inputs, outputs }) => {
      const routing = { localExperts: experts, activeShare: active / experts, replicas: 1 };
      return productSeconds({ inputs, outputs, format, rates: grouped[format], routing }, tokens);
    },
    attention: ({ kind, tp, kvBytes, narrow, batch, tokens }) => {
      const options = attentionOptions(tp, kvBytes, narrow);
      if (kind === 'generation') {
        const shape = makeStepShape({
          decodeSequences: batch,
          decodeContextTokens: batch * tokens,
        });
        return timeOf(makeGenerationAttention(options), shape);
      }
      const chunk = { newTokens: tokens, contextTokens: 0 };
      const prefill = Array.from({ length: batch }, () => chunk);
      return timeOf(makeContextAttention(options), makeStepShape({ prefill }));
    },
    allReduce: ({ tp, bytes }) => collectives.get(tp)!.allReduceSeconds(bytes),
  };
}

function productSeconds(
  {
    format,
    routing,
    ...product
  }: Pick<GemmOptions, 'inputs' | 'outputs' | 'rates'> & {
    readonly format: 'fp8' | 'bf16';
    readonly routing?: Routing;
  },
  rows: number,
): number {
  const operator = makeGemm({
    ...product,
    name: 'gemm',
    times: 1,
    rows: 'all',
    graphs: makeRecordedGraphs([]),
    weightBytes: weightBytesOf(format),
    routing,
  });
  return timeOf(operator, makeStepShape({ decodeSequences: rows }));
}

function timeOf(operator: Operator, shape: StepShape): number {
  const cost = makeCost();
  operator.addTo(cost, shape);
  return cost.computeSeconds + cost.memorySeconds + cost.overheadSeconds;
}
