import type { Command } from 'commander';
import { countParameters } from '../../core/architecture/parameters.ts';
import { checkLayout } from '../../core/timing/layout.ts';
import {
  type PlannedLayout,
  planLayouts,
  smallestLayout,
} from '../../core/timing/layout-search.ts';
import { type PlacedModel, planLoad } from '../../core/timing/load-price.ts';
import { modelWeightBytes } from '../../core/timing/memory-plan.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';
import { formatBytes } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';
import { addLoadOptions, type LoadOptions, placeModel } from './load-options.ts';
import { formatCapacity, formatCount, formatNumber, formatQuantity } from './quantity.ts';

const EXAMPLES = `Examples:
  sohu plan --model llama-3-70b --chip H100 --tp 8      does it fit, and how many tokens are left
  sohu plan --model deepseek-v3 --chip H200 --chips 16  every layout of 16 chips that fits
  sohu plan --model moe-100t                            how many chips 100 trillion parameters need
`;
const HEAD = [
  'Layout',
  'Chips',
  'Weights',
  'Activations',
  'KV cache',
  'KV tokens a replica',
  'Fits',
];
/** PCIe 5.0 with 16 lanes: what a host can stream into a chip. */
const HOST_BYTES_PER_SECOND = 64e9;

interface PlanOptions extends LoadOptions {
  readonly chips: number | undefined;
  readonly json?: true;
}

/** Adds `sohu plan`, which works out whether a model fits. */
export function addPlanCommand(program: Command): void {
  addLoadOptions(
    program
      .command('plan')
      .description('Work out whether a model fits the memory of a number of chips.')
      .addHelpText('before', EXAMPLES),
  )
    .option('--chips <count>', 'show every layout of so many chips', wholeNumber(1))
    .option('--json', 'print one JSON object')
    .action(plan);
}

function plan(options: PlanOptions): void {
  const placed = placeModel(options);
  const weights = weightsOf(placed);
  const plans = options.chips === undefined ? planOne(placed) : planLayouts(placed, options.chips);
  const text = options.json
    ? JSON.stringify({ ...weights, plans })
    : [...describeWeights(placed, weights), planTable(placed, plans)].join('\n');
  process.stdout.write(`${text}\n`);
}

/** The layout asked for and, where it is too small, the smallest that is not. */
function planOne(placed: PlacedModel): readonly PlannedLayout[] {
  const { layout, architecture } = placed;
  checkLayout(layout, architecture);
  const asked = { layout, plan: planLoad(placed) };
  const smallest = asked.plan.fits ? undefined : smallestLayout(placed);
  return smallest === undefined ? [asked] : [asked, smallest];
}

/** What the weights alone need. */
function weightsOf({ architecture, precision, chip }: PlacedModel) {
  const weightBytes = modelWeightBytes(architecture, precision);
  const { total, active } = countParameters(architecture);
  const activeBytes = (weightBytes * active) / total;
  return {
    model: architecture.name,
    chip: chip.name,
    parameters: total,
    activeParameters: active,
    weightBytes,
    chipsForWeights: Math.ceil(weightBytes / chip.hbmBytes),
    shareOnOneChip: Math.min(1, chip.hbmBytes / weightBytes),
    secondsToStreamActiveWeights: activeBytes / HOST_BYTES_PER_SECOND,
  };
}

function describeWeights(placed: PlacedModel, weights: ReturnType<typeof weightsOf>): string[] {
  const { chip, precision } = placed;
  const lines = [
    `${weights.model}: ${formatCount(weights.parameters)} parameters, ${formatCount(weights.activeParameters)} active a token; ${formatQuantity(weights.weightBytes)}B in ${precision.weights}`,
    `The weights alone need ${formatNumber(weights.chipsForWeights)} ${chip.name} chip(s) of ${formatCapacity(chip.hbmBytes)}.`,
  ];
  if (weights.chipsForWeights === 1) return lines;
  return [
    ...lines,
    `One chip holds ${(100 * weights.shareOnOneChip).toPrecision(3)} % of them. That "a single chip supports" such a model can mean that it takes`,
    `part in a group of that many, or that weights are streamed into it: over PCIe 5.0 x16 the active`,
    `weights of one token take ${formatNumber(weights.secondsToStreamActiveWeights)} s, shared by whatever batch the chip can hold.`,
  ];
}

function planTable({ chip }: PlacedModel, plans: readonly PlannedLayout[]): string {
  if (plans.length === 0) return `No layout of so many chips fits this model.`;
  const rows = plans.map(({ layout, plan: memory }) => [
    `tp ${layout.tp} pp ${layout.pp} ep ${layout.ep} dp ${layout.dp}`,
    formatNumber(memory.chips),
    formatBytes(memory.weightBytes),
    formatBytes(memory.activationBytes),
    memory.kvBytes > 0 ? formatBytes(memory.kvBytes) : 'none',
    formatNumber(memory.kvTokens),
    memory.fits ? 'yes' : 'no',
  ]);
  const title = `On each ${chip.name} of ${formatCapacity(chip.hbmBytes)}:`;
  return `${title}\n${renderTable(HEAD, rows, { stream: process.stdout, textColumns: 1 })}`;
}
