import { type Chip, makeChip } from '../chip.ts';

/** Etched Sohu, as claimed: nothing but its memory capacity and its throughput claim is published. */
export const SOHU: Chip = makeChip({
  name: 'Sohu',
  aliases: ['Etched Sohu', 'Etched'],
  vendor: 'Etched',
  process: 'TSMC 4 nm (N4P by reports of 2026)',
  memoryKind: 'HBM3E',
  memoryBytes: {
    value: 144e9,
    unit: 'bytes',
    origin: 'published',
    source: 'etched.com/announcing-etched, June 2024 (144 GB per chip)',
  },
  memoryBytesPerSecond: {
    value: { low: 3.28e12, high: 6.03e12 },
    unit: 'bytes/s',
    origin: 'assumed',
    source:
      'undisclosed; from what the claim needs at 127 sequences to the highest third-party guess (mirrorfrog.com)',
  },
  peakFlops: {
    fp8: {
      value: { low: 9.71e15, high: 10.93e15 },
      unit: 'FLOP/s',
      origin: 'derived',
      source:
        '500,000 tokens/s of Llama-3-70B on 8 chips at 2048/128 are 8.74 PFLOP/s a chip; at 90 % (claim of 2024) or 80 % (target of 2026) of peak',
      byConstruction: true,
    },
    bf16: {
      value: { low: 4.855e15, high: 5.465e15 },
      unit: 'FLOP/s',
      origin: 'derived',
      source: 'half of the FP8 figure, as on every chip of the catalogue',
      byConstruction: true,
    },
  },
  bestGemmFlops: {
    fp8: {
      value: 8.74e15,
      unit: 'FLOP/s',
      origin: 'derived',
      source: 'what 500,000 tokens/s sustain, on 8 chips',
      byConstruction: true,
    },
    bf16: {
      value: 4.37e15,
      unit: 'FLOP/s',
      origin: 'derived',
      source: 'half of the FP8 figure',
      byConstruction: true,
    },
  },
  links: {
    topology: 'switched',
    bytesPerSecond: {
      value: { low: 450e9, high: 2290e9 },
      unit: 'bytes/s',
      origin: 'assumed',
      source:
        'undisclosed; from NVLink 4 to what tensor parallelism over 8 chips needs for the claim',
    },
    reducesInNetwork: true,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 50e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'undisclosed; 400 Gb/s a chip',
    },
  },
  powerWatts: {
    value: { low: 700, high: 1000 },
    unit: 'W',
    origin: 'assumed',
    source: 'undisclosed',
  },
  priceDollars: {
    value: { low: 15000, high: 50000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'undisclosed',
  },
  notes: [
    'Throughput that rests on the peak is an input, by construction: it restates the claim of 500,000 tokens/s.',
    'No independent measurement is known.',
  ],
});
