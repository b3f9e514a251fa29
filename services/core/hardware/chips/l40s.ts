import { type Chip, makeChip } from '../chip.ts';

const SHEET = 'NVIDIA L40S data sheet';

/** NVIDIA L40S: graphics memory, and no links but PCIe. */
export const L40S: Chip = makeChip({
  name: 'L40S',
  aliases: ['L40S PCIe'],
  vendor: 'NVIDIA',
  process: 'TSMC 4N',
  memoryKind: 'GDDR6',
  memoryBytes: {
    value: 46_068 * 2 ** 20,
    unit: 'bytes',
    origin: 'published',
    source: 'nvidia-smi: 46,068 MiB, since error correction takes a sixteenth of the 48 GiB',
  },
  memoryBytesPerSecond: {
    value: 810e9,
    unit: 'bytes/s',
    origin: 'derived',
    source: `${SHEET}: 864 GB/s, of which error correction takes a sixteenth`,
  },
  peakFlops: {
    fp8: { value: 733e12, unit: 'FLOP/s', origin: 'published', source: `${SHEET}, dense` },
    bf16: { value: 362.05e12, unit: 'FLOP/s', origin: 'published', source: `${SHEET}, dense` },
  },
  links: {
    topology: 'pcie',
    bytesPerSecond: {
      value: 32e9,
      unit: 'bytes/s',
      origin: 'published',
      source: `${SHEET}: PCIe 4.0 x16, 64 GB/s both directions`,
    },
    reducesInNetwork: false,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 25e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'one 200 Gb/s adapter a chip',
    },
  },
  powerWatts: { value: 350, unit: 'W', origin: 'published', source: SHEET },
  boosts: true,
  priceDollars: {
    value: { low: 7000, high: 10000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'no primary source; a sixth to a third of H100',
  },
  dieSquareMillimetres: {
    value: 609,
    unit: 'mm²',
    origin: 'published',
    source: 'NVIDIA Ada GPU Architecture white paper (AD102, 608.5 mm²)',
  },
  transistors: {
    value: 76.3e9,
    unit: 'transistors',
    origin: 'published',
    source: 'NVIDIA Ada GPU Architecture white paper (AD102)',
  },
  notes: ['No measurement of its operators stands behind its prices: the data sheet alone.'],
});
