import { layerCount } from '../architecture/architecture.ts';
import { countParameters, kvElementsPerToken } from '../architecture/parameters.ts';
import { rangeOf } from '../hardware/figure.ts';
import { kvBytesOf, weightBytesOf } from '../timing/precision.ts';
import type { AuditLine, AuditSection } from './audit-line.ts';
import { type Claim, type ClaimedRoofline, sourceOf } from './claim.ts';

interface Roofline {
  readonly flops: number;
  readonly weightBytes: number;
  readonly kvBytes: number;
  readonly seconds: number;
  readonly flopsPerSecond: number;
}

/**
 * The claim's own argument that arithmetic binds: a step of one prompt and the decodes of as many
 * sequences, as the claim reckons it and with the model and format that it is about.
 */
export function rooflineSection(claim: Claim): AuditSection | undefined {
  const { roofline, architecture, precision } = claim;
  if (roofline === undefined) return undefined;
  const kvElements = kvElementsPerToken(architecture);
  const layers = layerCount(architecture);
  const said = solve(roofline, {
    weightBytes: roofline.parameters * roofline.bytesPerElement,
    kvBytesPerToken: (kvElements / layers) * roofline.layers * roofline.bytesPerElement,
  });
  const { layers: layerSize, vocabulary } = countParameters(architecture);
  const allLayers = solve(roofline, {
    weightBytes: roofline.parameters * roofline.bytesPerElement,
    kvBytesPerToken: kvElements * roofline.bytesPerElement,
  });
  const right = solve(roofline, {
    weightBytes: (layerSize + vocabulary) * weightBytesOf(precision.weights),
    kvBytesPerToken: kvElements * kvBytesOf(precision),
  });
  return {
    title: `The claim’s own roofline: one prompt and ${roofline.decodes} decodes in a step`,
    lines: linesOf({ claim, roofline, said, allLayers, right, layers }),
  };
}

function solve(
  { chip, parameters, promptTokens, decodes }: ClaimedRoofline,
  sizes: { readonly weightBytes: number; readonly kvBytesPerToken: number },
): Roofline {
  const tokens = promptTokens + decodes;
  const flops = 2 * parameters * tokens;
  const kvBytes = decodes * tokens * sizes.kvBytesPerToken;
  const seconds = (sizes.weightBytes + kvBytes) / rangeOf(chip.memoryBytesPerSecond).high;
  return {
    flops,
    weightBytes: sizes.weightBytes,
    kvBytes,
    seconds,
    flopsPerSecond: flops / seconds,
  };
}

function linesOf(found: {
  readonly claim: Claim;
  readonly roofline: ClaimedRoofline;
  readonly said: Roofline;
  readonly allLayers: Roofline;
  readonly right: Roofline;
  readonly layers: number;
}): readonly AuditLine[] {
  const { claim, roofline, said, allLayers, right, layers } = found;
  const { chip } = roofline;
  const sources = [sourceOf(claim, 'roofline')];
  const chipSources = [...sources, chip.memoryBytesPerSecond.source];
  const line = (
    id: string,
    name: string,
    value: number,
    unit: AuditLine['unit'],
    by: string,
  ): AuditLine => ({ id, name, value, unit, by, sources: unit === 'B' ? sources : chipSources });
  const wide = `${roofline.bytesPerElement} B an element`;
  return [
    line(
      'roofline-flops',
      'As reckoned: arithmetic',
      said.flops,
      'FLOP',
      '2 × parameters × tokens',
    ),
    line('roofline-weights', 'As reckoned: weights', said.weightBytes, 'B', wide),
    line(
      'roofline-kv',
      'As reckoned: keys and values',
      said.kvBytes,
      'B',
      `${wide}, ${roofline.layers} layers`,
    ),
    line(
      'roofline-seconds',
      `As reckoned: ${chip.name} reads them in`,
      said.seconds,
      's',
      '÷ bandwidth',
    ),
    line(
      'roofline-need',
      `As reckoned: ${chip.name} would need, for its memory to bind`,
      said.flopsPerSecond,
      'FLOP/s',
      'arithmetic ÷ time',
    ),
    line(
      'roofline-kv-layers',
      `Flaw 1, ${roofline.layers} of ${layers} layers: keys and values`,
      allLayers.kvBytes,
      'B',
      `${wide}, ${layers} layers`,
    ),
    line(
      'roofline-bytes-right',
      `Flaw 2, ${wide} in a claim of ${claim.precision.weights}: all that is read`,
      right.weightBytes + right.kvBytes,
      'B',
      `${claim.precision.weights} weights, ${claim.precision.kv} keys and values, ${layers} layers`,
    ),
    line(
      'roofline-need-right',
      `Without both: ${chip.name} would need`,
      right.flopsPerSecond,
      'FLOP/s',
      'arithmetic ÷ time: the argument is stronger than it was made',
    ),
  ];
}
