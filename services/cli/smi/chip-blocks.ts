import type { ChipStatus, ClusterSnapshot } from '../../client/index.ts';
import { formatDuration, formatShare } from '../terminal/format.ts';
import { field, row, rule, WHOLE, type Widths } from './box.ts';
import { basisOf, mebibytes, powerLimitWatts, usedBytes } from './chip-figures.ts';

const WIDTHS: Widths = [31, 22, 22];

/** An engine and its chips, two lines each, as nvidia-smi shows GPUs. */
export function chipBlocks(engine: ClusterSnapshot, version: string): string[] {
  return [
    rule(WHOLE),
    ...headLines(engine, version).map((line) => row([line], WHOLE)),
    rule(WIDTHS, { ends: '|+' }),
    row(
      [' Chip  Name              State', '         Memory-Usage', '    MFU    HBM   Link'],
      WIDTHS,
    ),
    row(
      [' Temp  Pwr:Usage/Cap      Step', '   KV-Usage     Epoch', '  Busy        Dropped'],
      WIDTHS,
    ),
    rule(WIDTHS, { ends: '|', sign: '=' }),
    ...engine.chips.flatMap((chip) => [...chipLines(chip, engine.epoch), rule(WIDTHS)]),
    ...(engine.chips.length > 0 ? [] : noChips()),
  ];
}

function headLines(engine: ClusterSnapshot, version: string): string[] {
  const { cluster, epoch, state, modelName, precision, kvCacheDtype, weights } = engine;
  const up = formatDuration(Math.floor(engine.uptimeMs / 1000));
  return [
    ` ${field(`SOHU-SMI ${version}`, 18)}${field(`Cluster: ${cluster}`, 28)} ` +
      `${field(`Epoch: ${epoch}`, 11)}${field(`State: ${state}`, 17, 'right')}`,
    ` ${field(`Model: ${modelName}`, 31)} ${field(`${precision}, KV ${kvCacheDtype}`, 15)}` +
      `${field(`Weights: ${weights}`, 17)}${field(up, 11, 'right')}`,
    ` Step and Busy: host. MFU, HBM, Link, Pwr: ${basisOf(engine.chips[0]?.name)}.`,
  ];
}

function chipLines(chip: ChipStatus, epoch: number): string[] {
  const limit = powerLimitWatts(chip.name);
  const power = `${watts(chip.powerWatts)} / ${limit === undefined ? 'N/A' : watts(limit)}`;
  const memory = `${mebibytes(usedBytes(chip))}MiB / ${mebibytes(chip.hbmTotalBytes)}MiB`;
  const reserved = chip.hbmKvReservedBytes;
  const kv = reserved > 0 ? formatShare(chip.hbmKvBytes / reserved) : 'N/A';
  const shares = [chip.mfu, chip.hbmBandwidth, chip.linkBandwidth].map(formatShare);
  return [
    row(
      [
        ` ${field(String(chip.seat), 4, 'right')}  ${field(chip.name, 15)} ${field(chip.state, 7, 'right')} `,
        ` ${field(memory, 20, 'right')} `,
        shares.map((share) => ` ${field(share, 6, 'right')}`).join(''),
      ],
      WIDTHS,
    ),
    row(
      [
        ` ${field('N/A', 4)}  ${field(power, 13, 'right')} ${field(stepMs(chip), 9, 'right')} `,
        ` ${field(kv, 10, 'right')}${field(String(epoch), 10, 'right')} `,
        ` ${field(formatShare(chip.busy), 5, 'right')}${field(String(chip.droppedFrames), 15, 'right')} `,
      ],
      WIDTHS,
    ),
  ];
}

function watts(value: number): string {
  return `${Math.round(value)}W`;
}

/** What the last step took on the host, waiting for others included. */
function stepMs({ steps, stepComputeMs, stepCommunicationMs }: ChipStatus): string {
  return steps === 0 ? 'N/A' : `${(stepComputeMs + stepCommunicationMs).toFixed(2)}ms`;
}

function noChips(): string[] {
  return [row(['  No chip has joined yet'], WHOLE), rule(WHOLE)];
}
