import Table from 'cli-table3';
import type { ChipInfo } from '../client/index.ts';
import { colorsFor, formatBytes, formatMs } from './format.ts';

const HEAD = ['Chip', 'Weights', 'HBM used', 'Sent', 'Received', 'Compute', 'Communication'];
/** Lines between the rows would double the height. */
const NO_RULES = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

/** What each chip holds and has done, as a table for a terminal. */
export function chipTable(chips: readonly ChipInfo[], stream: NodeJS.WriteStream): string {
  const { bold } = colorsFor(stream);
  const table = new Table({
    head: HEAD.map((title) => bold(title)),
    style: { head: [], border: [] },
    chars: NO_RULES,
    colAligns: HEAD.map(() => 'right'),
  });
  for (const chip of chips) table.push(chipRow(chip));
  return table.toString();
}

function chipRow(chip: ChipInfo): string[] {
  return [
    String(chip.rank),
    formatBytes(chip.weightBytes),
    `${formatBytes(chip.hbmBytesUsed)} of ${formatBytes(chip.hbmBytesTotal)}`,
    formatBytes(chip.bytesSent),
    formatBytes(chip.bytesReceived),
    formatMs(chip.computeMs),
    formatMs(chip.communicationMs),
  ];
}
