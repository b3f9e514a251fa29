import { type Chip, makeChip } from '../chip.ts';

/** NVIDIA B200 SXM (HGX, 1000 W). */
export const B200: Chip = makeChip({
  name: 'B200',
  aliases: ['B200 SXM', 'B200 180GB', 'b200_sxm'],
  vendor: 'NVIDIA',
  process: 'TSMC 4NP',
  memoryKind: 'HBM3e',
  memoryBytes: {
    value: 180 * 2 ** 30,
    unit: 'bytes',
    origin: 'published',
    source:
      'ai-dynamo/aiconfigurator systems/b200_sxm.yaml at 095f58a5 (180 GiB; cites the Blackwell data sheet)',
  },
  memoryBytesPerSecond: {
    value: 7.7e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/b200_sxm.yaml at 095f58a5',
  },
  peakFlops: {
    fp4: {
      value: 9000e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/b200_sxm.yaml at 095f58a5',
    },
    fp8: {
      value: 4500e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'glennklockwood.com/garden/processors/B200',
    },
    int8: {
      value: 4500e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'NVIDIA HGX B200 data sheet',
    },
    bf16: {
      value: 2250e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/b200_sxm.yaml at 095f58a5',
    },
  },
  bestGemmFlops: {
    fp4: {
      value: 4506e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'aiconfigurator gemm_perf tables, TensorRT-LLM 1.2.0rc5, best shape',
    },
    fp8: {
      value: 3116e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'aiconfigurator gemm_perf tables, TensorRT-LLM 1.2.0rc5, best shape',
    },
    bf16: {
      value: 1694e12,
      unit: 'FLOP/s',
      origin: 'measured',
      source: 'aiconfigurator gemm_perf tables, TensorRT-LLM 1.2.0rc5, best shape',
    },
  },
  links: {
    topology: 'switched',
    bytesPerSecond: {
      value: 900e9,
      unit: 'bytes/s',
      origin: 'published',
      source:
        'ai-dynamo/aiconfigurator systems/b200_sxm.yaml at 095f58a5 (1,800 GB/s both directions)',
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
    value: 1000,
    unit: 'W',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/b200_sxm.yaml at 095f58a5',
  },
  boosts: true,
  priceDollars: {
    value: { low: 40000, high: 43000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'runlocalai.ai/pulse/nvidia-b200-production-ramp-pricing (secondary)',
  },
  dieSquareMillimetres: {
    value: { low: 1600, high: 1716 },
    unit: 'mm²',
    origin: 'assumed',
    source:
      'not disclosed: two dies at the limit of a reticle (NVIDIA, March 2024), from about 800 to 858 mm² each',
  },
  transistors: {
    value: 208e9,
    unit: 'transistors',
    origin: 'published',
    source: 'NVIDIA Blackwell Architecture Technical Brief: two dies of 104 billion each',
  },
  notes: ['Several pages print 9,000 TFLOPS as dense FP8: that is the sparse figure.'],
});
