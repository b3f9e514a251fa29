import type { Architecture, LayerGroup } from '../architecture/architecture.ts';
import { layerCount } from '../architecture/architecture.ts';
import { layerMatrices, type Matrix } from '../architecture/matrices.ts';
import type { Format } from '../hardware/chip.ts';
import {
  type AttentionOptions,
  type AttentionRates,
  makeContextAttention,
  makeGenerationAttention,
} from './attention-operators.ts';
import {
  allReduceWaysOf,
  type GemmParameters,
  type KernelParameters,
  type VersionParameters,
} from './calibration-model.ts';
import {
  attentionFlopsOf,
  attentionFormatOf,
  type ChipRates,
  gemmFlopsOf,
  peakFlopsOf,
} from './chip-rates.ts';
import { type CollectivePricer, makeCollectivePricer } from './collectives.ts';
import { elementwisePassOf } from './elementwise-pass.ts';
import { type GemmRates, makeGemm, type Routing } from './gemm-operator.ts';
import {
  makeAllReduce,
  makeElementwise,
  makeExpertExchange,
  makeLogitsGather,
  makeSampling,
} from './layer-operators.ts';
import type { Layout } from './layout.ts';
import type { Operator } from './operator.ts';
import { makePowerLimit } from './power-limit.ts';
import { kvBytesOf, type PricedPrecision, WIDE_BYTES, weightBytesOf } from './precision.ts';
import { makeRecordedGraphs, type RecordedGraphs } from './recorded-graphs.ts';
import { localExperts, shardMatrix } from './sharding.ts';

const MICROS = 1e-6;

/** All that the price of a step depends on beside its counts. */
export interface StepOptions {
  readonly architecture: Architecture;
  readonly rates: ChipRates;
  readonly layout: Layout;
  readonly precision: PricedPrecision;
  readonly kernels: KernelParameters;
  readonly version: VersionParameters;
  /** The largest batch, up to which graphs are recorded; all that the version has where it is absent. */
  readonly maxNumSeqs?: number;
}

/** The graphs that a version records for the batches that it takes. */
export function graphsOf({ version, maxNumSeqs }: StepOptions): RecordedGraphs {
  return makeRecordedGraphs(version.graphBatchSizes, maxNumSeqs);
}

/** The operators of a step, in all layers, on one chip of each stage. */
export function makeStepOperators(options: StepOptions): readonly Operator[] {
  const { architecture, rates, layout, kernels, version } = options;
  const collectives = makeCollectivePricer(rates, kernels, layout.tp, version.allReduceChoice);
  return [
    ...architecture.groups.flatMap((group) => makeGroupOperators(group, options)),
    ...makeHead(options, collectives),
    makeAllReduce(architecture, {
      layers: layerCount(architecture),
      collectives,
      graphs: graphsOf(options),
    }),
    makeExpertExchange(architecture, layout, expertRates(options)),
  ];
}

function makeGroupOperators(group: LayerGroup, options: StepOptions): readonly Operator[] {
  const { architecture, layout } = options;
  const attention = attentionOptions(group, options);
  return [
    ...layerMatrices(group, architecture.hiddenSize)
      .filter(({ role }) => role !== 'conditioning')
      .map((matrix) => makeLayerGemm(matrix, group, options)),
    makeContextAttention(attention),
    makeGenerationAttention(attention),
    makeElementwise(group, {
      hiddenSize: architecture.hiddenSize,
      tp: layout.tp,
      pass: elementwisePassOf(options),
      handedBytes: handedBytesOf(options),
      overheadSeconds: options.kernels.passOverheadMicros * MICROS,
      graphs: graphsOf(options),
    }),
  ];
}

/** An engine that pays nothing for quantising does it where products get their inputs from. */
function handedBytesOf({ precision, version }: StepOptions): number {
  return version.quantisationShare === 0 ? weightBytesOf(precision.weights) : WIDE_BYTES;
}

function makeLayerGemm(matrix: Matrix, group: LayerGroup, options: StepOptions): Operator {
  const { layout, precision } = options;
  const { inputs, outputs } = shardMatrix(matrix, group, layout);
  return makeGemm({
    name: matrix.name,
    times: group.layers,
    rows: 'all',
    graphs: graphsOf(options),
    inputs,
    outputs,
    weightBytes: weightBytesOf(precision.weights),
    rates: gemmRatesOf({
      ...rateOptions(options),
      format: precision.weights,
      grouped: matrix.role === 'expert',
    }),
    routing: matrix.role === 'expert' ? routingOf(group, layout) : undefined,
  });
}

function makeHead(options: StepOptions, collectives: CollectivePricer): readonly Operator[] {
  const { architecture, layout } = options;
  if (architecture.vocabSize === 0) return [];
  const head = makeGemm({
    name: 'head',
    times: 1,
    rows: 'sampled',
    graphs: graphsOf(options),
    inputs: architecture.hiddenSize,
    outputs: Math.ceil(architecture.vocabSize / layout.tp),
    weightBytes: WIDE_BYTES,
    rates: gemmRatesOf({ ...rateOptions(options), format: 'bf16', grouped: false }),
    routing: undefined,
  });
  const sampling = makeSampling(architecture, elementwisePassOf(options));
  return [head, makeLogitsGather(architecture, collectives), sampling];
}

function rateOptions({ rates, kernels, version }: StepOptions) {
  return { rates, kernels, quantisationShare: version.quantisationShare };
}

function routingOf(group: LayerGroup, layout: Layout): Routing | undefined {
  const { feedForward } = group;
  if (feedForward.kind !== 'experts') return undefined;
  return {
    localExperts: localExperts(group, layout),
    activeShare: feedForward.active / feedForward.experts,
    replicas: layout.dp,
  };
}

function attentionOptions(group: LayerGroup, options: StepOptions): AttentionOptions {
  const { rates, layout, precision, kernels, version } = options;
  const { weights } = precision;
  const narrow = version.narrowAttention && precision.kv === 'fp8' && weights !== 'bf16';
  const kvBytes = kvBytesOf(precision);
  return {
    group,
    times: group.layers,
    tp: layout.tp,
    kvBytes,
    kernels,
    rates: attentionRatesOf(rates, kernels, { weights, narrow, kvBytes }),
  };
}

/** What attention achieves; `narrow` where prompts' attention multiplies in fp8. */
export function attentionRatesOf(
  rates: ChipRates,
  kernels: KernelParameters,
  { weights, narrow, kvBytes }: { weights: Format; narrow: boolean; kvBytes: number },
): AttentionRates {
  const { memoryEfficiency, startFlops, tokenFlops } = kernels.generationAttention;
  const width = kvBytes === 1 ? 'narrow' : 'wide';
  return {
    flopsPerSecond: attentionFlopsOf(rates, kernels, { weights, narrow }),
    joulesPerFlop: makePowerLimit(rates, kernels.power).joulesPerFlop(
      attentionFormatOf(rates, narrow),
    ),
    memoryBytesPerSecond: rates.memoryBytesPerSecond,
    readBytesPerSecond: rates.peakMemoryBytesPerSecond * memoryEfficiency,
    startSeconds: startFlops[width] / peakFlopsOf(rates, 'bf16'),
    tokenSeconds: keepsUp(rates) ? 0 : tokenFlops[width] / peakFlopsOf(rates, 'bf16'),
  };
}

/**
 * Chips from before fp8 have smaller tiles, and half as much arithmetic for their memory's rate: their kernels are
 * taken to keep up with it (assumed; none was measured).
 */
function keepsUp({ chip }: ChipRates): boolean {
  return chip.peakFlops.fp8 === undefined;
}

/** Experts beyond one server are reached over the network. */
function expertRates({ rates, layout, kernels }: StepOptions) {
  const { pipelined, twoShot } = allReduceWaysOf(kernels, layout.ep);
  const inServer = layout.ep <= rates.maxChipsPerServer;
  const rate = inServer ? rates.linkBytesPerSecond : rates.networkBytesPerSecond;
  return {
    bytesPerSecond: rate * pipelined.efficiency,
    latencySeconds: twoShot.latencyMicros * MICROS,
  };
}

/**
 * Bytes that quantising an element moves: what an engine does not fuse of the measured passes. The blocks
 * of fp4 have scales that are only known at run time, so that they always take a pass of their own.
 */
function quantisationBytesOf(format: Format, gemm: GemmParameters, share: number): number {
  const fused = share * gemm.quantisationPasses * (WIDE_BYTES + 1);
  return format === 'fp4' ? Math.max(fused, WIDE_BYTES + weightBytesOf(format)) : fused;
}

/** What products of a format cost; of quantising, the share that an engine's kernels do not fuse. */
export function gemmRatesOf(options: {
  readonly format: Format;
  /** Of many matrices at once. */
  readonly grouped: boolean;
  readonly rates: ChipRates;
  readonly kernels: KernelParameters;
  readonly quantisationShare: number;
}): GemmRates {
  const { format, grouped, rates, kernels } = options;
  const { narrow, wide } = kernels.gemm;
  const quantised = format !== 'bf16';
  const gemm = quantised ? narrow : wide;
  const share = quantised ? options.quantisationShare : 0;
  const launch = grouped ? kernels.groupedGemm.overheadMicros : wide.overheadMicros;
  const overhead = launch + share * (narrow.overheadMicros - wide.overheadMicros);
  const secondsPerByte = 1 / rates.memoryBytesPerSecond;
  return {
    flopsPerSecond: gemmFlopsOf(rates, kernels, { format, grouped }),
    joulesPerFlop: makePowerLimit(rates, kernels.power).joulesPerFlop(format),
    memoryBytesPerSecond: rates.memoryBytesPerSecond,
    overheadSeconds: overhead * MICROS,
    epilogueSecondsPerElement: gemm.epilogueShare * WIDE_BYTES * secondsPerByte,
    quantisationSecondsPerElement: quantisationBytesOf(format, gemm, share) * secondsPerByte,
    inputBytes: weightBytesOf(format),
    outputBytes: gemm.epilogueShare > 0 ? WIDE_BYTES : 0,
  };
}
