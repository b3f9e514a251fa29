import { type Chip, makeChip } from '../chip.ts';

/** One GPU of an NVIDIA GB200 (1200 W). */
export const GB200: Chip = makeChip({
  name: 'GB200',
  aliases: ['GB200 NVL72'],
  vendor: 'NVIDIA',
  process: 'TSMC 4NP',
  memoryKind: 'HBM3e',
  memoryBytes: {
    value: 186 * 2 ** 30,
    unit: 'bytes',
    origin: 'published',
    source:
      'ai-dynamo/aiconfigurator systems/gb200.yaml at 095f58a5; NVIDIA counts memory in binary units',
  },
  memoryBytesPerSecond: {
    value: 8.0e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/gb200.yaml at 095f58a5',
  },
  peakFlops: {
    fp4: {
      value: 10000e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/gb200.yaml at 095f58a5',
    },
    fp8: {
      value: 5000e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/gb200.yaml at 095f58a5',
    },
    bf16: {
      value: 2500e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'ai-dynamo/aiconfigurator systems/gb200.yaml at 095f58a5',
    },
  },
  bestGemmFlops: {
    fp4: {
      value: 5007e12,
      unit: 'FLOP/s',
      origin: 'derived',
      source:
        'what B200 reached of its peak, by aiconfigurator gemm_perf tables, TensorRT-LLM 1.2.0rc5, best shape',
    },
  },
  links: {
    topology: 'switched',
    bytesPerSecond: {
      value: 900e9,
      unit: 'bytes/s',
      origin: 'published',
      source:
        'ai-dynamo/aiconfigurator systems/gb200.yaml at 095f58a5 (1,800 GB/s both directions)',
    },
    reducesInNetwork: true,
    maxChipsPerServer: 72,
    networkBytesPerSecond: {
      value: 50e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'one 400 Gb/s adapter a chip, as in DGX H100',
    },
  },
  powerWatts: {
    value: 1200,
    unit: 'W',
    origin: 'published',
    source: 'ai-dynamo/aiconfigurator systems/gb200.yaml at 095f58a5',
  },
  boosts: true,
  priceDollars: {
    value: { low: 45000, high: 70000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'no primary source; above B200',
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
  notes: [],
});
