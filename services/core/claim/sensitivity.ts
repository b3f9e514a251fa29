import type { Chip, Format } from '../hardware/chip.ts';
import { type Figure, isUncertain, type Range, rangeOf, valueAt } from '../hardware/figure.ts';
import { InvalidArgumentError } from '../support/errors.ts';
import { findLayoutProblem, type Layout } from '../timing/layout.ts';
import { priceLoad } from '../timing/load-price.ts';
import { findSoftwareVersion, IDEAL_SOFTWARE } from '../timing/software-version.ts';
import { type Claim, impliedPeak, sustainedFlopsPerChip } from './claim.ts';

/** What the priced throughput makes of one figure that nobody disclosed, the others in the middle. */
export interface Sensitivity {
  readonly layout: string;
  readonly figure: string;
  /** Ends of the figure. */
  readonly values: Range;
  readonly unit: 'B/s' | 'share';
  /** Processed tokens per second of the server at those ends. */
  readonly tokensPerSecond: Range;
  readonly source: string;
}

/** What is varied: undefined is the middle of what the data sheet says. */
interface Pinned {
  readonly memory?: number;
  readonly links?: number;
  readonly utilization?: number;
}

/** Bisections of the link rate: a thousandth of any range. */
const ROUNDS = 40;
const HIGHEST_LINK_RATE = 1e15;
const CLOSE = 0.99;

/** Varies each undisclosed figure alone, with all chips as tensor-parallel ranks and as stages. */
export function sensitivityOf(claim: Claim): readonly Sensitivity[] {
  return layoutsOf(claim).flatMap(([name, layout]) => {
    const line = (
      figure: string,
      values: Range,
      unit: Sensitivity['unit'],
      more: { readonly pin: (value: number) => Pinned; readonly source: string },
    ): Sensitivity => ({
      layout: name,
      figure,
      values,
      unit,
      tokensPerSecond: {
        low: tokensPerSecondOf(claim, layout, more.pin(values.low)),
        high: tokensPerSecondOf(claim, layout, more.pin(values.high)),
      },
      source: more.source,
    });
    const { memoryBytesPerSecond: memory, links } = claim.chip;
    return [
      ...uncertain(memory).map(({ value, source }) =>
        line('memory bandwidth', value, 'B/s', { pin: (rate) => ({ memory: rate }), source }),
      ),
      ...uncertain(links.bytesPerSecond).map(({ value, source }) =>
        line('link rate', value, 'B/s', { pin: (rate) => ({ links: rate }), source }),
      ),
      line('utilisation of the peak', utilizationRange(claim), 'share', {
        pin: (utilization) => ({ utilization }),
        source: claim.source,
      }),
    ];
  });
}

/**
 * The link rate at which tensor parallelism over all chips comes within 1 % of what it reaches with
 * free links; undefined where the model cannot be split so.
 */
export function pricedLinkRate(claim: Claim): number | undefined {
  const layout = layoutsOf(claim).find(([, { tp }]) => tp > 1)?.[1];
  if (layout === undefined) return undefined;
  const at = (links: number): number => tokensPerSecondOf(claim, layout, { links });
  const enough = CLOSE * at(HIGHEST_LINK_RATE);
  let low = 0;
  let high = HIGHEST_LINK_RATE;
  for (let round = 0; round < ROUNDS; round++) {
    const middle = (low + high) / 2;
    if (at(middle) >= enough) high = middle;
    else low = middle;
  }
  return high;
}

/** All chips in one replica, by tensors and by stages, where the model and its memory allow. */
function layoutsOf(claim: Claim): readonly (readonly [string, Layout])[] {
  const { chips, architecture } = claim;
  const all: readonly (readonly [string, Layout])[] = [
    [`TP${chips}`, { tp: chips, pp: 1, ep: 1, dp: 1 }],
    [`PP${chips}`, { tp: 1, pp: chips, ep: 1, dp: 1 }],
  ];
  return all
    .slice(0, chips === 1 ? 1 : 2)
    .filter(([, layout]) => findLayoutProblem(layout, architecture) === undefined)
    .filter(([, layout]) => fits(claim, layout));
}

function fits(claim: Claim, layout: Layout): boolean {
  try {
    return tokensPerSecondOf(claim, layout, {}) > 0;
  } catch (error) {
    if (error instanceof InvalidArgumentError) return false;
    throw error;
  }
}

function tokensPerSecondOf(claim: Claim, layout: Layout, pinned: Pinned): number {
  const software = findSoftwareVersion(IDEAL_SOFTWARE);
  const load = {
    ...claim,
    chip: pin(claim, pinned),
    layout,
    software,
    maxNumBatchedTokens: software.maxNumBatchedTokens,
    maxNumSeqs: software.maxNumSeqs,
    concurrency: Number.POSITIVE_INFINITY,
  };
  return priceLoad(load, 'middle').totalTokensPerSecond;
}

/** The claimed chip with plain numbers for what is varied, and the claimed rate for its products. */
function pin(claim: Claim, { memory, links, utilization }: Pinned): Chip {
  const { chip, precision } = claim;
  const sustained = (utilization ?? claim.utilization.high) * peakOf(claim);
  const best = (share: number): Figure => ({
    value: share * sustained,
    unit: 'FLOP/s',
    origin: 'derived',
    source: claim.source,
    byConstruction: true,
  });
  const rates: Partial<Record<Format, Figure>> = { bf16: best(0.5), [precision.weights]: best(1) };
  return {
    ...chip,
    bestGemmFlops: rates,
    memoryBytesPerSecond: fixed(chip.memoryBytesPerSecond, memory),
    links: { ...chip.links, bytesPerSecond: fixed(chip.links.bytesPerSecond, links) },
  };
}

/** From what is said of GPUs, where that is less, to the most that is claimed. */
function utilizationRange({ gpuUtilization = 1, utilization }: Claim): Range {
  return { low: Math.min(gpuUtilization, utilization.low), high: utilization.high };
}

/** The peak that a data sheet states, or that the claim implies at its highest utilisation. */
function peakOf({ chip, precision, ...claim }: Claim): number {
  const figure = chip.peakFlops[precision.weights]!;
  if (!figure.byConstruction) return valueAt(figure, 'middle');
  return impliedPeak(sustainedFlopsPerChip(claim), claim.utilization).low;
}

function fixed(figure: Figure, value: number | undefined): Figure {
  return value === undefined ? figure : { ...figure, value };
}

function uncertain(figure: Figure): readonly { readonly value: Range; readonly source: string }[] {
  return isUncertain(figure) ? [{ value: rangeOf(figure), source: figure.source }] : [];
}
