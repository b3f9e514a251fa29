import { type Chip, makeChip } from '../chip.ts';

/** Tenstorrent Wormhole (one chip, as on the n150 card). */
export const WORMHOLE: Chip = makeChip({
  name: 'Wormhole',
  aliases: ['Tenstorrent', 'Tenstorrent Wormhole', 'n150'],
  vendor: 'Tenstorrent',
  process: 'GlobalFoundries 12 nm',
  memoryKind: 'GDDR6',
  memoryBytes: {
    value: 12e9,
    unit: 'bytes',
    origin: 'published',
    source: 'Tenstorrent product page of the Wormhole n300 and n150 cards',
  },
  memoryBytesPerSecond: {
    value: 288e9,
    unit: 'bytes/s',
    origin: 'published',
    source: 'Tenstorrent product page of the Wormhole n300 and n150 cards',
  },
  peakFlops: {
    fp8: {
      value: 262e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'Tenstorrent product page of the Wormhole n300 and n150 cards',
    },
    bf16: {
      value: 74e12,
      unit: 'FLOP/s',
      origin: 'derived',
      source: 'Tenstorrent product page of the Wormhole n300 and n150 cards, FP16',
    },
  },
  links: {
    topology: 'mesh',
    bytesPerSecond: {
      value: 25e9,
      unit: 'bytes/s',
      origin: 'derived',
      source: 'two 200 Gb/s QSFP-DD cages, one counted per neighbour',
    },
    reducesInNetwork: false,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 25e9,
      unit: 'bytes/s',
      origin: 'published',
      source: 'Tenstorrent product page of the Wormhole n300 and n150 cards',
    },
  },
  powerWatts: {
    value: 160,
    unit: 'W',
    origin: 'published',
    source: 'Tenstorrent product page of the Wormhole n300 and n150 cards',
  },
  priceDollars: {
    value: { low: 1000, high: 1100 },
    unit: 'USD',
    origin: 'published',
    source: 'Tenstorrent product page of the Wormhole n300 and n150 cards',
  },
  notes: ['From the public product pages; no measurement of ours stands behind it.'],
});
