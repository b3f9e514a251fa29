import type { Architecture } from '../architecture/architecture.ts';
import { FORMATS } from '../hardware/chip.ts';
import { findChip } from '../hardware/chip-catalogue.ts';
import type { Range } from '../hardware/figure.ts';
import { InvalidArgumentError } from '../support/errors.ts';
import type { PricedPrecision } from '../timing/precision.ts';
import type { Claim, ClaimedComparison, ClaimedMatmul, ClaimedRoofline } from './claim.ts';
import { ClaimFields } from './claim-fields.ts';
import { readClaimedChip } from './claimed-chip.ts';

const FIELDS: readonly string[] = [
  'name',
  'source',
  'sources',
  'model',
  'precision',
  'kv_cache_dtype',
  'chip',
  'chips',
  'input_tokens',
  'output_tokens',
  'tokens_per_second',
  'utilization',
  'gpu_utilization',
  'clock_hertz',
  'matmul',
  'comparisons',
  'replaces',
  'roofline',
  'project_dollars',
];
const KV_FORMATS = ['fp8', 'bf16'] as const;
/** Clocks of matrix units on a 4 nm process (assumed): around the 1.8 GHz that H100's peak implies. */
const ASSUMED_CLOCK: Range = { low: 1.5e9, high: 1.8e9 };
const MAX_CHIPS = 65_536;

/**
 * Reads the JSON of a claim (ARCHITECTURE.md lists its fields); an InvalidArgumentError names the
 * field that it refuses and the valid choice.
 */
export function parseClaim(json: unknown, architectureOf: (model: string) => Architecture): Claim {
  const fields = ClaimFields.of(json, FIELDS);
  const load = {
    architecture: readArchitecture(fields, architectureOf),
    precision: readPrecision(fields),
    chips: fields.integer('chips', MAX_CHIPS),
    inputTokens: fields.integer('input_tokens'),
    outputTokens: fields.integer('output_tokens'),
    tokensPerSecond: fields.number('tokens_per_second'),
    utilization: fields.shares('utilization'),
  };
  return {
    name: fields.text('name'),
    source: fields.text('source'),
    ...load,
    chip: readClaimedChip(fields, load),
    gpuUtilization: fields.has('gpu_utilization') ? fields.share('gpu_utilization') : undefined,
    clockHertz: fields.has('clock_hertz') ? fields.range('clock_hertz') : ASSUMED_CLOCK,
    matmul: fields.has('matmul') ? readMatmul(fields) : undefined,
    comparisons: readComparisons(fields),
    replaces: fields.has('replaces') ? readReplaced(fields) : undefined,
    roofline: fields.has('roofline') ? readRoofline(fields) : undefined,
    projectDollars: fields.has('project_dollars') ? fields.range('project_dollars') : undefined,
    sources: fields.texts('sources', FIELDS),
  };
}

function readArchitecture(
  fields: ClaimFields,
  architectureOf: (model: string) => Architecture,
): Architecture {
  const architecture = architectureOf(fields.text('model'));
  if (architecture.diffusion === undefined) return architecture;
  throw new InvalidArgumentError(
    `model must write tokens, and ${architecture.name} makes whole samples; the nearest is llama-3-70b`,
  );
}

function readPrecision(fields: ClaimFields): PricedPrecision {
  return {
    weights: fields.choice('precision', FORMATS, 'fp8'),
    kv: fields.choice('kv_cache_dtype', KV_FORMATS, 'fp8'),
  };
}

function readMatmul(fields: ClaimFields): ClaimedMatmul {
  const matmul = fields.object('matmul', ['chip', 'units', 'fma_per_unit', 'transistors_per_fma']);
  return {
    chip: findChip(matmul.text('chip')),
    units: matmul.integer('units'),
    fmaPerUnit: matmul.integer('fma_per_unit'),
    transistorsPerFma: matmul.number('transistors_per_fma'),
  };
}

function readComparisons(fields: ClaimFields): readonly ClaimedComparison[] {
  const names = ['chip', 'chips', 'tokens_per_second', 'ratio', 'source'];
  const source = fields.text('source');
  return fields.objects('comparisons', names).map((comparison) => ({
    chip: findChip(comparison.text('chip')),
    chips: comparison.integer('chips', MAX_CHIPS),
    tokensPerSecond: comparison.number('tokens_per_second'),
    ratio: comparison.number('ratio'),
    source: comparison.has('source') ? comparison.text('source') : source,
  }));
}

function readReplaced(fields: ClaimFields): Claim['replaces'] {
  const replaced = fields.object('replaces', ['chip', 'chips']);
  return {
    chip: findChip(replaced.text('chip')),
    chips: replaced.integer('chips', MAX_CHIPS),
  };
}

function readRoofline(fields: ClaimFields): ClaimedRoofline {
  const roofline = fields.object('roofline', [
    'chip',
    'parameters',
    'bytes_per_element',
    'layers',
    'prompt_tokens',
    'decodes',
  ]);
  return {
    chip: findChip(roofline.text('chip')),
    parameters: roofline.number('parameters'),
    bytesPerElement: roofline.number('bytes_per_element'),
    layers: roofline.integer('layers'),
    promptTokens: roofline.integer('prompt_tokens'),
    decodes: roofline.integer('decodes'),
  };
}
