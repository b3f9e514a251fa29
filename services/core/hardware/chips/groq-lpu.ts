import { type Chip, makeChip } from '../chip.ts';

/** Groq LPU (GroqChip1), all memory on the chip. */
export const GROQ_LPU: Chip = makeChip({
  name: 'Groq LPU',
  aliases: ['Groq', 'LPU', 'GroqChip1'],
  vendor: 'Groq',
  process: 'GlobalFoundries 14 nm',
  memoryKind: 'SRAM',
  memoryBytes: {
    value: 230e6,
    unit: 'bytes',
    origin: 'published',
    source: 'ALCF documentation of GroqRack',
  },
  memoryBytesPerSecond: {
    value: 80e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'Groq, via secondary text',
  },
  peakFlops: {
    int8: {
      value: 750e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ALCF documentation of GroqRack (900 MHz)',
    },
    bf16: {
      value: 188e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ALCF documentation of GroqRack, FP16',
    },
  },
  links: {
    topology: 'mesh',
    bytesPerSecond: {
      value: 330e9,
      unit: 'bytes/s',
      origin: 'derived',
      source: '16 chip-to-chip links of 30 GB/s and Groq data sheet, one direction',
    },
    reducesInNetwork: false,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 12.5e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'undisclosed; 100 Gb/s a chip',
    },
  },
  powerWatts: {
    value: 300,
    unit: 'W',
    origin: 'published',
    source: 'techspot.com/news/83719 (TSP)',
  },
  priceDollars: {
    value: { low: 19000, high: 20000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'per GroqCard (secondary)',
  },
  notes: ['A model must fit the SRAM of all chips together: hundreds of chips for 70B.'],
});
