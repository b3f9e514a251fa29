import type { Range } from '../hardware/figure.ts';
import type { AuditUnit } from './audit-line.ts';
import { type BestKnown, bestEnergyPerFlop, bestKnown } from './best-known.ts';
import { type Claim, impliedPeak, sustainedFlopsPerChip } from './claim.ts';
import { linkNeed } from './link-need.ts';
import { memoryNeeds } from './memory-need.ts';
import { energyPerFlop, matmulTransistors } from './silicon-need.ts';

/** Whether the best known silicon has what a claim takes. */
export interface Verdict {
  readonly resource: string;
  readonly need: Range;
  readonly unit: AuditUnit;
  readonly best: number;
  readonly bestChip: string;
  /** Need over the best known; below 1 where silicon of today has it. */
  readonly factor: Range;
  readonly verdict: 'met' | 'partly' | 'beyond';
  readonly sources: readonly string[];
}

type Need = Pick<Verdict, 'resource' | 'need' | 'unit'> & {
  readonly best: BestKnown | undefined;
};

/** One verdict a resource, against chips with stacked memory whose figures are known. */
export function verdictsOf(claim: Claim): readonly Verdict[] {
  return [...needsOf(claim).flatMap(judge), ...judgeEnergy(claim)];
}

function needsOf(claim: Claim): readonly Need[] {
  const format = claim.precision.weights;
  const memory = memoryNeeds(claim);
  const transistors = matmulTransistors(claim);
  return [
    {
      resource: `dense ${format} peak`,
      need: impliedPeak(sustainedFlopsPerChip(claim), claim.utilization),
      unit: 'FLOP/s',
      best: bestKnown(({ peakFlops }) => peakFlops[format]),
    },
    {
      resource: `memory bandwidth, ${memory.at(-1)!.sequences} to ${memory[0]!.sequences} sequences`,
      need: spread(memory.map(({ bytesPerSecondPerChip }) => bytesPerSecondPerChip)),
      unit: 'B/s',
      best: bestKnown(({ memoryBytesPerSecond }) => memoryBytesPerSecond),
    },
    {
      resource: `memory, ${memory[0]!.sequences} to ${memory.at(-1)!.sequences} sequences`,
      need: spread(memory.map(({ bytesPerChip }) => bytesPerChip)),
      unit: 'B',
      best: bestKnown(({ memoryBytes }) => memoryBytes),
    },
    ...linkNeeds(claim),
    ...(transistors === undefined
      ? []
      : [
          {
            resource: 'transistors that multiply, of a package',
            need: transistors,
            unit: 'transistors',
            best: bestKnown((chip) => chip.transistors),
          } as const,
        ]),
  ];
}

function linkNeeds(claim: Claim): readonly Need[] {
  if (claim.chips === 1) return [];
  const links = linkNeed(claim);
  const best = bestKnown(({ links: { bytesPerSecond } }) => bytesPerSecond);
  const need = (resource: string, low: number, high: number): Need => ({
    resource,
    need: { low, high },
    unit: 'B/s',
    best,
  });
  return [
    need(`links, TP${claim.chips}: added in the network, or a ring`, links.inNetwork, links.ring),
    need(`links, TP${claim.chips} with an fp8 payload`, links.inNetworkNarrow, links.ringNarrow),
    need(`links, PP${claim.chips}`, links.pipeline, links.pipeline),
  ];
}

function judge({ best, ...need }: Need): readonly Verdict[] {
  if (best === undefined) return [];
  const factor = { low: need.need.low / best.value, high: need.need.high / best.value };
  return [
    {
      ...need,
      best: best.value,
      bestChip: best.chip.name,
      factor,
      verdict: verdictOn(factor),
      sources: [best.source],
    },
  ];
}

/** Of energy the least is the best. */
function judgeEnergy(claim: Claim): readonly Verdict[] {
  const [best] = bestEnergyPerFlop(claim.precision.weights);
  if (best === undefined) return [];
  const need = energyPerFlop(claim);
  const factor = { low: best.joules / need.high, high: best.joules / need.low };
  return [
    {
      resource: 'energy of a FLOP, against the best product measured',
      need,
      unit: 'J/FLOP',
      best: best.joules,
      bestChip: best.chip.name,
      factor,
      verdict: verdictOn(factor),
      sources: [best.source, `power of ${claim.chip.name}: ${claim.chip.powerWatts.source}`],
    },
  ];
}

function verdictOn({ low, high }: Range): Verdict['verdict'] {
  if (high <= 1) return 'met';
  return low > 1 ? 'beyond' : 'partly';
}

function spread(values: readonly number[]): Range {
  return { low: Math.min(...values), high: Math.max(...values) };
}
