import { type Chip, makeChip } from '../chip.ts';

/** NVIDIA A100 SXM4 80 GB. */
export const A100: Chip = makeChip({
  name: 'A100',
  aliases: ['A100 SXM', 'A100 SXM 80GB', 'A100 80GB', 'a100_sxm'],
  vendor: 'NVIDIA',
  process: 'TSMC N7',
  memoryKind: 'HBM2e',
  memoryBytes: {
    value: 80 * 2 ** 30,
    unit: 'bytes',
    origin: 'published',
    source:
      'ai-dynamo/aiconfigurator systems/a100_sxm.yaml at 095f58a5; NVIDIA counts memory in binary units',
  },
  memoryBytesPerSecond: {
    value: 2.039e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/a100_sxm.yaml at 095f58a5',
  },
  peakFlops: {
    int8: {
      value: 624e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/a100_sxm.yaml at 095f58a5',
    },
    bf16: {
      value: 312e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/a100_sxm.yaml at 095f58a5',
    },
  },
  links: {
    topology: 'switched',
    bytesPerSecond: {
      value: 300e9,
      unit: 'bytes/s',
      origin: 'published',
      source:
        'ai-dynamo/aiconfigurator systems/a100_sxm.yaml at 095f58a5 (600 GB/s both directions)',
    },
    reducesInNetwork: false,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 25e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'one 200 Gb/s adapter a chip, as in DGX A100',
    },
  },
  powerWatts: {
    value: 400,
    unit: 'W',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/a100_sxm.yaml at 095f58a5',
  },
  boosts: true,
  priceDollars: {
    value: { low: 8000, high: 15000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'mercatus-ai.com/blog/a100-vs-h100-vs-h200, used (secondary)',
  },
  dieSquareMillimetres: {
    value: 826,
    unit: 'mm²',
    origin: 'published',
    source: 'NVIDIA A100 Tensor Core GPU Architecture white paper (GA100)',
  },
  transistors: {
    value: 54.2e9,
    unit: 'transistors',
    origin: 'published',
    source: 'NVIDIA A100 Tensor Core GPU Architecture white paper (GA100)',
  },
  notes: [],
});
