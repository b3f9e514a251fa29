import { type Chip, makeChip } from '../chip.ts';

/** Cerebras WSE-3, one wafer, as a CS-3 system. */
export const WSE_3: Chip = makeChip({
  name: 'WSE-3',
  aliases: ['Cerebras', 'CS-3', 'Cerebras WSE-3'],
  vendor: 'Cerebras',
  process: 'TSMC N5',
  memoryKind: 'SRAM',
  memoryBytes: {
    value: 44e9,
    unit: 'bytes',
    origin: 'published',
    source: 'yobitel.com/knowledge-base/cerebras-wse-3',
  },
  memoryBytesPerSecond: {
    value: 21e15,
    unit: 'bytes/s',
    origin: 'published',
    source: 'yobitel.com/knowledge-base/cerebras-wse-3',
  },
  peakFlops: {
    bf16: {
      value: { low: 12.5e15, high: 125e15 },
      unit: 'FLOP/s',
      origin: 'assumed',
      source:
        '125 PFLOPS is the vendor peak and, by a secondary source, sparse; the dense figure is undisclosed',
    },
  },
  links: {
    topology: 'switched',
    bytesPerSecond: {
      value: 150e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: '1.2 Tb/s of system I/O; on-wafer traffic (214 Pb/s) needs no link',
    },
    reducesInNetwork: false,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 150e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'the same system I/O',
    },
  },
  powerWatts: {
    value: 23000,
    unit: 'W',
    origin: 'published',
    source: 'awesomeagents.ai/hardware/cerebras-wse-3 (whole system)',
  },
  priceDollars: {
    value: { low: 2e6, high: 3e6 },
    unit: 'USD',
    origin: 'assumed',
    source: 'per CS-3 (secondary)',
  },
  notes: [],
});
