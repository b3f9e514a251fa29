import { type Chip, FORMATS, type Format } from '../../core/hardware/chip.ts';
import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { checkLayout, type Layout } from '../../core/timing/layout.ts';
import { isByConstruction, type PricedLoad } from '../../core/timing/load-price.ts';
import {
  CLAIMED_SOFTWARE,
  findSoftwareVersion,
  IDEAL_SOFTWARE,
  SOFTWARE_VERSIONS,
} from '../../core/timing/software-version.ts';
import { limitsOf } from '../../core/timing/step-limits.ts';
import type { PublishedRow } from '../../evidence/published-row.ts';
import { findModel } from '../models/models.ts';

/** What a comparison is asked for. */
export interface CompareRequest {
  readonly model: string;
  readonly chip: readonly string[];
  readonly chips: number;
  readonly tp: number | undefined;
  readonly pp: number;
  readonly isl: number;
  readonly osl: number;
  readonly precision: Format;
  readonly software: string | undefined;
}

/** The chip that every ratio is over: the one that the claim of Sohu is measured against. */
export const BASELINE_CHIP = 'H100';
/** Shown where no chip is named. */
export const HEADLINE_CHIPS: readonly string[] = ['Sohu', 'B200', 'H200', BASELINE_CHIP];

const HEADLINE_TP = 8;
/** What the claim of June 2024 compared itself with. */
const HEADLINE_SOFTWARE = 'trtllm-0.10.0';

/** Refuses what no chip could be compared under. */
export function checkRequest(request: CompareRequest): void {
  const architecture = findModel(request.model);
  if (architecture.diffusion !== undefined) {
    throw new InvalidArgumentError(
      `model must write tokens, and ${architecture.name} makes whole samples; the nearest is llama-3-70b, or use sohu price`,
    );
  }
  checkLayout(layoutOf(request), architecture);
}

/** The loads of one chip: one, but three of a chip that is only claimed. */
export function loadsOf(
  chipName: string,
  request: CompareRequest,
  published: readonly PublishedRow[],
): readonly PricedLoad[] {
  const chip = findChip(chipName);
  const layout = layoutOf(request);
  if (request.software !== undefined) return [loadOf(chip, request.software, layout, request)];
  if (!isByConstruction(chip)) {
    return [loadOf(chip, firstPublished(chip, published), layout, request)];
  }
  const pipeline = { ...layout, tp: 1, pp: layout.tp * layout.pp };
  return [
    loadOf(chip, CLAIMED_SOFTWARE, layout, request),
    loadOf(chip, IDEAL_SOFTWARE, layout, request),
    ...(layout.tp === 1 ? [] : [loadOf(chip, IDEAL_SOFTWARE, pipeline, request)]),
  ];
}

function layoutOf({ chips, tp = Math.min(chips, HEADLINE_TP), pp }: CompareRequest): Layout {
  const replica = tp * pp;
  if (chips % replica !== 0) {
    throw new InvalidArgumentError(
      `chips must be a multiple of tp × pp = ${replica}, not ${chips}; the nearest is ${Math.max(1, Math.round(chips / replica)) * replica}`,
    );
  }
  return { tp, pp, ep: 1, dp: chips / replica };
}

function loadOf(chip: Chip, software: string, layout: Layout, request: CompareRequest): PricedLoad {
  const version = findSoftwareVersion(software);
  const run = {
    architecture: findModel(request.model),
    chip,
    layout,
    precision: { weights: formatOn(chip, request.precision), kv: 'fp8' },
    inputTokens: request.isl,
    outputTokens: request.osl,
  } as const;
  return {
    ...run,
    ...limitsOf(version, run),
    software: version,
    concurrency: Number.POSITIVE_INFINITY,
  };
}

/** The format asked for, or the next wider that the chip multiplies. */
export function formatOn(chip: Chip, wanted: Format): Format {
  const wider = FORMATS.slice(FORMATS.indexOf(wanted));
  return wider.find((format) => chip.peakFlops[format] !== undefined) ?? wanted;
}

/** The oldest version with a published row of the chip, since the claim compares with its day. */
function firstPublished({ name }: Chip, published: readonly PublishedRow[]): string {
  const rows = published.filter((row) => row.chip === name && row.table === 'trtllm-2048-128');
  const oldest = SOFTWARE_VERSIONS.find((version) =>
    rows.some((row) => row.version === version.name),
  );
  return oldest?.name ?? HEADLINE_SOFTWARE;
}
