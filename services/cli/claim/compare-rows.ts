import { flopsPerProcessedToken } from '../../core/architecture/parameters.ts';
import type { Format } from '../../core/hardware/chip.ts';
import { type Range, type RangeEnd, valueAt } from '../../core/hardware/figure.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { type BatchingGain, batchingGain } from '../../core/timing/batching-gain.ts';
import { chipCount } from '../../core/timing/layout.ts';
import { isByConstruction, type LoadPrice, type PricedLoad } from '../../core/timing/load-price.ts';
import { costOver, type PriceSpan, priceSpan, rangeOver } from '../../core/timing/price-span.ts';
import { CLAIMED_SOFTWARE } from '../../core/timing/software-version.ts';
import type { Bottleneck, StepPrice } from '../../core/timing/step-price.ts';
import type { PublishedRow } from '../../evidence/published-row.ts';
import { BASELINE_CHIP, type CompareRequest, checkRequest, loadsOf } from './compare-loads.ts';

/** One line of a comparison, as `--json` prints it. Rates are of all chips, tokens per second. */
export interface ComparedRow {
  readonly chip: string;
  readonly chips: number;
  readonly tp: number;
  readonly version: string;
  readonly output_throughput: number;
  readonly total_token_throughput: number;
  /** Of total token throughput over the baseline's; null where the baseline does not fit. */
  readonly ratio: number | null;
  readonly mfu: number;
  readonly bound_by: Bottleneck;
  readonly pp: number;
  readonly precision: Format;
  /** Shares of the step that each resource is busy. */
  readonly busy: Readonly<Record<Bottleneck, number>>;
  /** The number restates the chip's own claim. */
  readonly by_construction: boolean;
  readonly total_token_throughput_range: Range;
  readonly mfu_range: Range;
  readonly hbm_utilization_range: Range;
  readonly link_utilization_range: Range;
  readonly mean_tpot_ms: number;
  readonly joules_per_million_tokens: Range;
  readonly dollars_per_million_tokens: Range;
  /** Output tokens per second that somebody measured and published; null where nobody did. */
  readonly published_output_throughput: number | null;
  readonly published_source: string | null;
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** In a sweep alone. */
  readonly batching_gain?: BatchingGain;
}

/** The lines of a comparison, and why some chips have none. */
export interface Comparison {
  readonly rows: readonly ComparedRow[];
  readonly refused: readonly string[];
}

/** Prices every chip; what does not fit its chips is named in `refused`, unless nothing fits. */
export function compareLoads(options: {
  readonly request: CompareRequest;
  readonly published: readonly PublishedRow[];
  readonly sweep: boolean;
}): Comparison {
  const { request, published, sweep } = options;
  checkRequest(request);
  const baseline = baselineOf(request, published);
  const tried = request.chip
    .flatMap((name) => loadsOf(name, request, published))
    .filter(({ software }) => !(sweep && software.name === CLAIMED_SOFTWARE))
    .map((load) => attempt(() => rowOf(load, { baseline, published, sweep })));
  const rows = tried.flatMap((result) => (result.kind === 'done' ? [result.value] : []));
  const failures = tried.flatMap((result) => (result.kind === 'refused' ? [result.error] : []));
  if (rows.length === 0 && failures.length > 0) throw failures[0]!;
  return { rows, refused: failures.map(({ message }) => message) };
}

/** Tokens per second of the baseline under the same request; undefined where it does not fit. */
function baselineOf(
  request: CompareRequest,
  published: readonly PublishedRow[],
): number | undefined {
  const result = attempt(() => {
    const [load] = loadsOf(BASELINE_CHIP, { ...request, software: undefined }, published);
    return priceSpan(load!).middle.totalTokensPerSecond;
  });
  return result.kind === 'done' ? result.value : undefined;
}

type Attempt<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'refused'; readonly error: InvalidArgumentError };

function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { kind: 'done', value: work() };
  } catch (error) {
    if (error instanceof InvalidArgumentError) return { kind: 'refused', error };
    throw error;
  }
}

function rowOf(
  load: PricedLoad,
  context: {
    readonly baseline: number | undefined;
    readonly published: readonly PublishedRow[];
    readonly sweep: boolean;
  },
): ComparedRow {
  const span = priceSpan(load);
  const { middle } = span;
  const row = publishedRowOf(load, context.published);
  const { baseline } = context;
  return {
    chip: load.chip.name,
    chips: chipCount(load.layout),
    tp: load.layout.tp,
    version: load.software.name,
    output_throughput: middle.outputTokensPerSecond,
    total_token_throughput: middle.totalTokensPerSecond,
    ratio: baseline === undefined ? null : middle.totalTokensPerSecond / baseline,
    mfu: mfuOf(load, middle, 'middle'),
    bound_by: middle.state.price.binds,
    pp: load.layout.pp,
    precision: load.precision.weights,
    busy: busyShares(middle.state.price),
    by_construction: isByConstruction(load.chip),
    ...rangesOf(load, span),
    mean_tpot_ms: 1000 * middle.state.tpotSeconds,
    published_output_throughput: row === undefined ? null : row.value * load.layout.dp,
    published_source: row?.source ?? null,
    input_tokens: load.inputTokens,
    output_tokens: load.outputTokens,
    ...(context.sweep ? { batching_gain: batchingGain(load, middle) } : {}),
  };
}

/** Of all steps; the account in `price` is of one kind of them. */
function mfuOf(load: PricedLoad, price: LoadPrice, end: RangeEnd): number {
  const { chip, precision, layout, architecture } = load;
  const peak = valueAt(chip.peakFlops[precision.weights]!, end);
  const flops = price.totalTokensPerSecond * flopsPerProcessedToken(architecture, load);
  return flops / (chipCount(layout) * peak);
}

function rangesOf(load: PricedLoad, span: PriceSpan) {
  const mfus = [mfuOf(load, span.low, 'low'), mfuOf(load, span.high, 'high')];
  return {
    total_token_throughput_range: rangeOver(span, (price) => price.totalTokensPerSecond),
    mfu_range: { low: Math.min(...mfus), high: Math.max(...mfus) },
    hbm_utilization_range: rangeOver(span, ({ state }) => state.price.hbmUtilization),
    link_utilization_range: rangeOver(span, ({ state }) => state.price.linkUtilization),
    joules_per_million_tokens: costOver(span, 'joules'),
    dollars_per_million_tokens: costOver(span, 'dollars'),
  };
}

/** Hidden collectives count too, so that shares of what overlaps add up to more than 1. */
function busyShares(price: StepPrice): Readonly<Record<Bottleneck, number>> {
  const { breakdown, hiddenCollectiveSeconds, seconds } = price;
  return {
    compute: breakdown.computeSeconds / seconds,
    memory: breakdown.memorySeconds / seconds,
    collectives: (breakdown.collectiveSeconds + hiddenCollectiveSeconds) / seconds,
    overhead: breakdown.overheadSeconds / seconds,
  };
}

/** What somebody measured of the same model, chip, layout, format, lengths and software. */
function publishedRowOf(
  load: PricedLoad,
  published: readonly PublishedRow[],
): PublishedRow | undefined {
  return published.find(
    (row) =>
      row.table === 'trtllm-2048-128' &&
      row.metric === 'output_tokens_per_s' &&
      row.version === load.software.name &&
      row.model === load.architecture.name &&
      row.chip === load.chip.name &&
      row.precision === load.precision.weights &&
      row.tp === load.layout.tp &&
      load.layout.pp === 1 &&
      row.inputTokens === load.inputTokens &&
      row.outputTokens === load.outputTokens,
  );
}
