import type { Chip, Format, Topology } from '../hardware/chip.ts';
import { FORMATS } from '../hardware/chip.ts';
import { type RangeEnd, valueAt } from '../hardware/figure.ts';
import { InvalidArgumentError } from '../support/errors.ts';
import type { KernelParameters } from './calibration-model.ts';

/** A chip in plain numbers: what kernels achieve on it, at one end of its ranges. */
export interface ChipRates {
  readonly name: string;
  readonly memoryBytes: number;
  /** Achievable. */
  readonly memoryBytesPerSecond: number;
  readonly peakMemoryBytesPerSecond: number;
  readonly linkBytesPerSecond: number;
  readonly networkBytesPerSecond: number;
  readonly topology: Topology;
  readonly reducesInNetwork: boolean;
  readonly maxChipsPerServer: number;
  readonly chip: Chip;
  readonly end: RangeEnd;
}

/** Achievable rates of a chip; `end` chooses from ranges, high being the better chip. */
export function ratesOf(chip: Chip, kernels: KernelParameters, end: RangeEnd): ChipRates {
  const peakMemoryBytesPerSecond = valueAt(chip.memoryBytesPerSecond, end);
  return {
    name: chip.name,
    memoryBytes: valueAt(chip.memoryBytes, end),
    memoryBytesPerSecond: peakMemoryBytesPerSecond * kernels.memoryEfficiency,
    peakMemoryBytesPerSecond,
    linkBytesPerSecond: valueAt(chip.links.bytesPerSecond, end),
    networkBytesPerSecond: valueAt(chip.links.networkBytesPerSecond, end),
    topology: chip.links.topology,
    reducesInNetwork: chip.links.reducesInNetwork,
    maxChipsPerServer: chip.links.maxChipsPerServer,
    chip,
    end,
  };
}

/** The dense peak for a format in FLOP/s; an InvalidArgumentError names the formats that it has. */
export function peakFlopsOf({ chip, end }: ChipRates, format: Format): number {
  const figure = chip.peakFlops[format];
  if (figure === undefined) {
    const valid = FORMATS.filter((other) => chip.peakFlops[other] !== undefined);
    throw new InvalidArgumentError(
      `precision must be one of ${valid.join(', ')} on ${chip.name}, not ${format}; the nearest is ${nearestFormat(valid, format)}`,
    );
  }
  return valueAt(figure, end);
}

/**
 * What large products reach, of one matrix or `grouped` of many: the calibrated share of the peak, but never
 * more than somebody measured on this chip. A figure that a claim implies stands for itself.
 */
export function gemmFlopsOf(
  rates: ChipRates,
  { gemm, groupedGemm }: KernelParameters,
  { format, grouped }: { readonly format: Format; readonly grouped: boolean },
): number {
  const width = format === 'bf16' ? 'wide' : 'narrow';
  const share = grouped ? groupedGemm.computeEfficiency[width] : gemm[width].computeEfficiency;
  const achievable = peakFlopsOf(rates, format) * share;
  const best = rates.chip.bestGemmFlops?.[format];
  if (best === undefined) return achievable;
  const measured = valueAt(best, rates.end);
  return best.byConstruction ? measured : Math.min(achievable, measured);
}

/** What attention multiplies: bf16 or, where it may be narrow and the chip has it, fp8. */
export function attentionFormatOf({ chip }: ChipRates, narrow: boolean): 'fp8' | 'bf16' {
  return narrow && chip.peakFlops.fp8 !== undefined ? 'fp8' : 'bf16';
}

/**
 * What attention reaches in its format. A rate that a claim implies counts attention like any other
 * product, so that of the weights stands for attention too.
 */
export function attentionFlopsOf(
  rates: ChipRates,
  kernels: KernelParameters,
  { weights, narrow }: { readonly weights: Format; readonly narrow: boolean },
): number {
  if (rates.chip.bestGemmFlops?.[weights]?.byConstruction) {
    return gemmFlopsOf(rates, kernels, { format: weights, grouped: false });
  }
  const { computeEfficiency, narrowComputeEfficiency } = kernels.contextAttention;
  const format = attentionFormatOf(rates, narrow);
  const efficiency = format === 'fp8' ? narrowComputeEfficiency : computeEfficiency;
  return peakFlopsOf(rates, format) * efficiency;
}

function nearestFormat(valid: readonly Format[], wanted: Format): Format {
  const distance = (format: Format): number =>
    Math.abs(FORMATS.indexOf(format) - FORMATS.indexOf(wanted));
  return valid.reduce((best, format) => (distance(format) < distance(best) ? format : best));
}
