import { type Chip, makeChip } from '../chip.ts';

/** NVIDIA H200 SXM. */
export const H200: Chip = makeChip({
  name: 'H200',
  aliases: ['H200 SXM', 'H200 SXM 141GB', 'h200_sxm'],
  vendor: 'NVIDIA',
  process: 'TSMC 4N',
  memoryKind: 'HBM3e',
  memoryBytes: {
    value: 141 * 2 ** 30,
    unit: 'bytes',
    origin: 'published',
    source:
      'ai-dynamo/aiconfigurator systems/h200_sxm.yaml at 095f58a5; NVIDIA counts memory in binary units',
  },
  memoryBytesPerSecond: {
    value: 4.8e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/h200_sxm.yaml at 095f58a5',
  },
  peakFlops: {
    fp8: {
      value: 1979e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/h200_sxm.yaml at 095f58a5',
    },
    int8: { value: 1979e12, unit: 'FLOP/s', origin: 'published', source: 'NVIDIA H200 data sheet' },
    bf16: {
      value: 989.5e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/h200_sxm.yaml at 095f58a5',
    },
  },
  bestGemmFlops: {
    fp8: {
      value: 1527e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'services/evidence/measured/products.csv, best shape',
    },
    bf16: {
      value: 849e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'aiconfigurator gemm_perf tables, TensorRT-LLM 1.2.0rc5, best shape',
    },
  },
  sustainedGemmFlops: {
    fp8: {
      value: 1296e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'services/evidence/measured/power.csv, 8,192 rows',
    },
    bf16: {
      value: 673e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'services/evidence/measured/power.csv, 8,192 rows',
    },
  },
  links: {
    topology: 'switched',
    bytesPerSecond: {
      value: 450e9,
      unit: 'bytes/s',
      origin: 'published',
      source:
        'ai-dynamo/aiconfigurator systems/h200_sxm.yaml at 095f58a5 (900 GB/s both directions)',
    },
    reducesInNetwork: true,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 50e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'one 400 Gb/s adapter a chip, as in DGX H100',
    },
  },
  powerWatts: {
    value: 700,
    unit: 'W',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/h200_sxm.yaml at 095f58a5',
  },
  boosts: true,
  priceDollars: {
    value: { low: 28000, high: 31000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'runlocalai.ai (secondary)',
  },
  dieSquareMillimetres: {
    value: 814,
    unit: 'mm²',
    origin: 'published',
    source: 'the die of H100, by NVIDIA',
  },
  transistors: {
    value: 80e9,
    unit: 'transistors',
    origin: 'published',
    source: 'the die of H100, by NVIDIA',
  },
  notes: [],
});
