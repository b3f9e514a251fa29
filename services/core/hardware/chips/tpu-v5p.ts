import { type Chip, makeChip } from '../chip.ts';

/** Google TPU v5p. */
export const TPU_V5P: Chip = makeChip({
  name: 'TPU v5p',
  aliases: ['v5p'],
  vendor: 'Google',
  process: 'undisclosed',
  memoryKind: 'HBM2e',
  memoryBytes: {
    value: 95e9,
    unit: 'bytes',
    origin: 'published',
    source: 'cloud.google.com/tpu/docs/v5p',
  },
  memoryBytesPerSecond: {
    value: 2.765e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'cloud.google.com/tpu/docs/v5p',
  },
  peakFlops: {
    int8: {
      value: 918e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'devidasmishra/ai-inference-hardware-economics-2026 (secondary)',
    },
    bf16: {
      value: 459e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'cloud.google.com/tpu/docs/v5p',
    },
  },
  links: {
    topology: 'ring',
    bytesPerSecond: {
      value: 300e9,
      unit: 'bytes/s',
      origin: 'published',
      source: 'cloud.google.com/tpu/docs/v5p (4,800 Gb/s both directions, 3D torus)',
    },
    reducesInNetwork: false,
    maxChipsPerServer: 4,
    networkBytesPerSecond: {
      value: 12.5e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'undisclosed; 100 Gb/s a chip',
    },
  },
  powerWatts: {
    value: { low: 300, high: 500 },
    unit: 'W',
    origin: 'assumed',
    source: 'undisclosed',
  },
  priceDollars: {
    value: { low: 8000, high: 20000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'not sold; a rental equivalent',
  },
  notes: ['The interconnect is a 3D torus of up to 8,960 chips; a group of 4 is one ring here.'],
});
