import { type Chip, makeChip } from '../chip.ts';

/** Google TPU v6e (Trillium). */
export const TPU_V6E: Chip = makeChip({
  name: 'TPU v6e',
  aliases: ['v6e', 'Trillium'],
  vendor: 'Google',
  process: 'undisclosed',
  memoryKind: 'HBM',
  memoryBytes: {
    value: 32e9,
    unit: 'bytes',
    origin: 'published',
    source: 'docs.cloud.google.com/tpu/docs/v6e',
  },
  memoryBytesPerSecond: {
    value: 1.638e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'docs.cloud.google.com/tpu/docs/v6e',
  },
  peakFlops: {
    int8: {
      value: 1836e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'docs.cloud.google.com/tpu/docs/v6e',
    },
    bf16: {
      value: 918e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'docs.cloud.google.com/tpu/docs/v6e',
    },
  },
  links: {
    topology: 'ring',
    bytesPerSecond: {
      value: 400e9,
      unit: 'bytes/s',
      origin: 'published',
      source: 'docs.cloud.google.com/tpu/docs/v6e (800 GB/s both directions, 2D torus)',
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
    value: { low: 200, high: 400 },
    unit: 'W',
    origin: 'assumed',
    source: 'undisclosed',
  },
  priceDollars: {
    value: { low: 5000, high: 15000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'not sold; a rental equivalent',
  },
  notes: [],
});
