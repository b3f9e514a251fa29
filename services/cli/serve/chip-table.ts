import type { ChipInfo } from '../../client/index.ts';
import { formatBytes, formatMs } from '../terminal/format.ts';
import { renderTable } from '../terminal/table.ts';

const HEAD = ['Chip', 'Weights', 'HBM used', 'Sent', 'Received', 'Compute', 'Communication'];

/** What each chip holds and has done, as a table for a terminal. */
export function chipTable(chips: readonly ChipInfo[], stream: NodeJS.WriteStream): string {
  return renderTable(HEAD, chips.map(chipRow), { stream, textColumns: 0 });
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
