import type { LayerGroup } from '../core/architecture/architecture.ts';
import { H100 } from '../core/hardware/chips/h100.ts';
import {
  type AttentionOptions,
  makeContextAttention,
  makeGenerationAttention,
} from '../core/timing/attention-operators.ts';
import type { KernelParameters } from '../core/timing/calibration-model.ts';
import { attentionFlopsOf, ratesOf } from '../core/timing/chip-rates.ts';
import { makeCollectivePricer } from '../core/timing/collectives.ts';
import { makeGemm } from '../core/timing/gemm-operator.ts';
import { makeCost, type Operator } from '../core/timing/operator.ts';
import { weightBytesOf } from '../core/timing/precision.ts';
import { makeRecordedGraphs } from '../core/timing/recorded-graphs.ts';
import { gemmRatesOf } from '../core/timing/step-operators.ts';
import { makeStepShape, type StepShape } from '../core/timing/step-shape.ts';
import type { MeasuredAllReduce, MeasuredAttention, MeasuredGemm } from './measured-operators.ts';

/** Times of single operators on the measured chip, by the same code that prices steps. */
export interface OperatorTimer {
  readonly gemm: (row: MeasuredGemm) => number;
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
export function makeOperatorTimer(kernels: KernelParameters): OperatorTimer {
  const rates = ratesOf(H100, kernels, 'middle');
  const gemmRates = {
    fp8: gemmRatesOf({ format: 'fp8', rates, kernels, quantisationShare: 1 }),
    bf16: gemmRatesOf({ format: 'bf16', rates, kernels, quantisationShare: 1 }),
  };
  const attentionOptions = (tp: number, kvBytes: number, narrow: boolean): AttentionOptions => ({
    group: ATTENTION,
    times: 1,
    tp,
    kvBytes,
    kernels,
    flopsPerSecond: attentionFlopsOf(rates, kernels, { weights: 'fp8', narrow }),
    memoryBytesPerSecond: rates.memoryBytesPerSecond,
  });
  const collectives = new Map(
    [2, 4, 8].map((tp) => [tp, makeCollectivePricer(rates, kernels, tp)] as const),
  );
  return {
    gemm: ({ format, rows, inputs, outputs }) =>
      timeOf(
        makeGemm({
          name: 'gemm',
          times: 1,
          rows: 'all',
          graphs: makeRecordedGraphs([]),
          inputs,
          outputs,
          weightBytes: weightBytesOf(format),
          rates: gemmRates[format],
          routing: undefined,
        }),
        makeStepShape({ decodeSequences: rows }),
      ),
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

/** Mean of |ln(predicted / measured)|: a relative error that treats both directions alike. */
export function meanError<T extends { readonly seconds: number }>(
  rows: readonly T[],
  predict: (row: T) => number,
): number {
  const sum = rows.reduce(
    (total, row) => total + Math.abs(Math.log(predict(row) / row.seconds)),
    0,
  );
  return sum / rows.length;
}

function timeOf(operator: Operator, shape: StepShape): number {
  const cost = makeCost();
  operator.addTo(cost, shape);
  return cost.computeSeconds + cost.memorySeconds + cost.overheadSeconds;
}
