import { type Chip, makeChip } from '../chip.ts';

/** NVIDIA H100 SXM5. */
export const H100: Chip = makeChip({
  name: 'H100',
  aliases: ['H100 SXM', 'H100 SXM 80GB', 'h100_sxm'],
  vendor: 'NVIDIA',
  process: 'TSMC 4N',
  memoryKind: 'HBM3',
  memoryBytes: {
    value: 80 * 2 ** 30,
    unit: 'bytes',
    origin: 'published',
    source:
      'ai-dynamo/aiconfigurator systems/h100_sxm.yaml at 095f58a5; NVIDIA counts memory in binary units',
  },
  memoryBytesPerSecond: {
    value: 3.35e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/h100_sxm.yaml at 095f58a5',
  },
  streamBytesPerSecond: {
    value: 2.85e12,
    unit: 'bytes/s',
    origin: 'measured',
    source: 'aiconfigurator fp8 GEMM at m=1, TensorRT-LLM 1.2.0rc5',
  },
  peakFlops: {
    fp8: {
      value: 1979e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'inference-sim hardware_config.json at f90a1e3a',
    },
    int8: { value: 1979e12, unit: 'FLOP/s', origin: 'published', source: 'NVIDIA H100 data sheet' },
    bf16: {
      value: 989.5e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'inference-sim hardware_config.json at f90a1e3a',
    },
  },
  bestGemmFlops: {
    fp8: {
      value: 1580e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'services/evidence/measured/products.csv, best shape',
    },
    bf16: {
      value: 861e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'aiconfigurator gemm_perf tables, TensorRT-LLM 1.2.0rc5, best shape',
    },
  },
  sustainedGemmFlops: {
    fp8: {
      value: 1344e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'services/evidence/measured/power.csv, 8,192 rows',
    },
    bf16: {
      value: 699e12,
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
        'ai-dynamo/aiconfigurator systems/h100_sxm.yaml at 095f58a5 (900 GB/s both directions)',
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
    source: 'ai-dynamo/aiconfigurator systems/h100_sxm.yaml at 095f58a5',
  },
  boosts: true,
  priceDollars: {
    value: { low: 22000, high: 30000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'runlocalai.ai/pulse/nvidia-b200-production-ramp-pricing (secondary)',
  },
  dieSquareMillimetres: {
    value: 814,
    unit: 'mm²',
    origin: 'published',
    source: 'NVIDIA H100 Tensor Core GPU Architecture white paper (GH100)',
  },
  transistors: {
    value: 80e9,
    unit: 'transistors',
    origin: 'published',
    source: 'NVIDIA H100 Tensor Core GPU Architecture white paper (GH100)',
  },
  notes: [],
});
