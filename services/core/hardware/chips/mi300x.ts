import { type Chip, makeChip } from '../chip.ts';

/** AMD Instinct MI300X. */
export const MI300X: Chip = makeChip({
  name: 'MI300X',
  aliases: ['AMD MI300X'],
  vendor: 'AMD',
  process: 'TSMC N5 + N6',
  memoryKind: 'HBM3',
  memoryBytes: {
    value: 192 * 2 ** 30,
    unit: 'bytes',
    origin: 'published',
    source:
      'GenZ-LLM-Analyzer Systems/system_configs.py at 091bdd0a (cites the AMD data sheet); eight stacks of 24 GiB',
  },
  memoryBytesPerSecond: {
    value: 5.3e12,
    unit: 'bytes/s',
    origin: 'published',
    source: 'GenZ-LLM-Analyzer Systems/system_configs.py at 091bdd0a (cites the AMD data sheet)',
  },
  peakFlops: {
    fp8: {
      value: 2614.9e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'awesomeagents.ai/hardware/amd-mi300x',
    },
    int8: {
      value: 2614.9e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'AMD MI300X data sheet',
    },
    bf16: {
      value: 1307.4e12,
      unit: 'FLOP/s',
      origin: 'published',
      source: 'GenZ-LLM-Analyzer Systems/system_configs.py at 091bdd0a (cites the AMD data sheet)',
    },
  },
  links: {
    topology: 'mesh',
    bytesPerSecond: {
      value: 448e9,
      unit: 'bytes/s',
      origin: 'published',
      source: 'gpu.blog (896 GB/s both directions over seven links)',
    },
    reducesInNetwork: false,
    maxChipsPerServer: 8,
    networkBytesPerSecond: {
      value: 50e9,
      unit: 'bytes/s',
      origin: 'assumed',
      source: 'one 400 Gb/s adapter a chip, as in DGX H100',
    },
  },
  powerWatts: { value: 750, unit: 'W', origin: 'published', source: 'gpu.blog' },
  boosts: true,
  priceDollars: {
    value: { low: 10000, high: 15000 },
    unit: 'USD',
    origin: 'assumed',
    source: 'awesomeagents.ai (secondary)',
  },
  notes: ['Two secondary pages print other peaks (2,615 as FP16, 330 as FP16): both are wrong.'],
});
