/**
 * Measures where a second thread pays for the hop to it: every segment on one thread and on two,
 * by the number of rows. Ends with the FLOPs from which two are better chosen, which is what
 * PARALLEL_FLOPS in the compute pool should be.
 */
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { Piscina } from 'piscina';
import { openCheckpoint } from '../../services/checkpoint/open-checkpoint.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import {
  PRECISIONS,
  type Precision,
  resolveKvFormat,
} from '../../services/core/model/precision.ts';
import { planShard } from '../../services/core/model/shard-plan.ts';
import type { SegmentKind } from '../../services/core/model/step-plan.ts';
import type { TensorSource } from '../../services/core/model/tensors.ts';
import { createKernelMemory, createWasmKernels, MEMORY_BASE } from '../../services/kernels/wasm.ts';
import type { SegmentPart } from '../../services/runtime/chip/compute-pool.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { ShardExecutor } from '../../services/shard/executor.ts';
import { planLayout, type ShardLayout } from '../../services/shard/layout.ts';
import { ShardLoader } from '../../services/shard/loader.ts';
import { Shard } from '../../services/shard/shard.ts';
import { digits, listOf, median, oneOf, printTable } from './table.ts';

interface Options {
  readonly precision: Precision;
  readonly segments: SegmentKind[];
  readonly json: true | undefined;
}

interface Result {
  readonly model: string;
  readonly segment: SegmentKind;
  readonly rows: number;
  /** Of the matrices alone. */
  readonly flops: number;
  readonly oneMicros: number;
  readonly twoMicros: number;
}

/** A segment on one thread, and on this one and another. */
interface Contest {
  readonly one: () => void;
  readonly two: () => Promise<void>;
}

const ROUNDS = 5;
const ROUND_MS = 15;
const THREADS = 2;
const BLOCK_SIZE = 16;
const ROWS = Array.from({ length: 11 }, (_, power) => 2 ** power);
const SEGMENTS: SegmentKind[] = ['qkv', 'attention', 'mlp', 'head'];
const BUNDLED = 'tinystories-5m';

/** Calls both ways in turn; the medians in microseconds. */
async function time({ one, two }: Contest): Promise<{ oneMicros: number; twoMicros: number }> {
  const micros: { one: number[]; two: number[] } = { one: [], two: [] };
  await two(); // starts the other thread
  for (let round = 0; round < ROUNDS; round++) {
    micros.one.push(await timeRound(one));
    micros.two.push(await timeRound(two));
  }
  return { oneMicros: median(micros.one), twoMicros: median(micros.two) };
}

/** Mean of the calls within about ROUND_MS. */
async function timeRound(run: () => void | Promise<void>): Promise<number> {
  const startMs = performance.now();
  let calls = 0;
  let elapsedMs = 0;
  do {
    await run();
    calls++;
    elapsedMs = performance.now() - startMs;
  } while (elapsedMs < ROUND_MS);
  return (1000 * elapsedMs) / calls;
}

async function measureModel(
  model: { readonly name: string; readonly config: ModelConfig; readonly source: TensorSource },
  { precision, segments }: Options,
): Promise<Result[]> {
  const maxRows = ROWS.at(-1)!;
  const layout = planLayout(
    planShard(model.config, 1, 0),
    {
      ...{ precision, kvFormat: resolveKvFormat('auto', precision), blockSize: BLOCK_SIZE },
      ...{ kvBlocks: maxRows, maxRows, maxSequences: maxRows, threads: THREADS },
    },
    MEMORY_BASE,
  );
  const memory = createKernelMemory(layout.bytes, { shared: true });
  const loader = new ShardLoader(layout, memory.buffer, model.source);
  while (loader.loaded < loader.total) loader.loadNext();
  const shard = new Shard(layout, memory.buffer);
  const executor = new ShardExecutor(layout, createWasmKernels(memory));
  // Without the pool's own threshold, which is what is to be found.
  const piscina = new Piscina({
    filename: fileURLToPath(
      new URL('../../services/runtime/chip/compute-worker.js', import.meta.url),
    ),
    ...{ name: 'runPart', minThreads: 1, maxThreads: 1, workerData: { layout, memory } },
  });
  const results: Result[] = [];
  for (const rows of ROWS) {
    fillBatch(shard, rows);
    for (const segment of segments) {
      const half = Math.ceil(rows / 2);
      const work = { segment, layer: 0 };
      const rest: SegmentPart = { ...work, rows: { start: half, end: rows }, part: 1 };
      const times = await time({
        one: () => executor.run(segment, 0, { start: 0, end: rows }),
        two: async () => {
          const other: Promise<void> = piscina.run(rest);
          await Promise.resolve(); // as the pool does
          executor.run(segment, 0, { start: 0, end: half });
          await other;
        },
      });
      const flops = rows * flopsPerRow(layout, segment);
      results.push({ model: model.name, segment, rows, flops, ...times });
    }
  }
  await piscina.destroy();
  return results;
}

/** Sequences of one row each, at the end of a block of their own. */
function fillBatch(shard: Shard, rows: number): void {
  const sequences = Array.from({ length: rows }, (_, index) => ({
    ...{ tokens: [1], start: BLOCK_SIZE - 1, blocks: [index], sample: true },
  }));
  shard.writeBatch(sequences);
  const { hidden } = shard;
  for (let i = 0; i < rows * shard.hiddenStride; i++) hidden[i] = valueAt(i);
}

function flopsPerRow({ lmHead, layers }: ShardLayout, segment: SegmentKind): number {
  const { qkv, attentionOutput, gateUp, down } = layers[0]!;
  const matrices = {
    qkv: [qkv],
    attention: attentionOutput.map(({ matrix }) => matrix),
    mlp: [gateUp, ...down.map(({ matrix }) => matrix)],
    head: [lmHead],
  }[segment];
  return matrices.reduce((sum, { inner, columns }) => sum + 2 * inner * columns, 0);
}

/** A fixed sequence without pattern, in −1…1. */
function valueAt(index: number): number {
  return (Math.imul(index + 1, 0x9e3779b1) >> 8) / 2 ** 23;
}

/** Four times as wide as the bundled model, one layer deep. */
function wideConfig(config: ModelConfig): ModelConfig {
  const { hiddenSize, intermediateSize, headDim } = config;
  return {
    ...{ ...config, layers: 1, hiddenSize: 4 * hiddenSize },
    ...{ intermediateSize: 4 * intermediateSize, headDim: 4 * headDim },
  };
}

const RANDOM_SOURCE: TensorSource = {
  read: (_, { rowStart, rowEnd, columnStart, columnEnd }) =>
    Float32Array.from({ length: (rowEnd - rowStart) * (columnEnd - columnStart) }, (_, index) =>
      valueAt(index),
    ),
};

/**
 * The threshold that loses the least beside always choosing right: one slow measurement among many
 * does not move it. Infinite where two threads do not pay at all.
 */
function bestThreshold(results: readonly Result[]): number {
  // The pool never splits fewer rows.
  const divisible = results.filter(({ rows }) => rows >= 2 * THREADS);
  const lossOf = (threshold: number): number =>
    divisible.reduce((sum, { flops, oneMicros, twoMicros }) => {
      const chosen = flops >= threshold ? twoMicros : oneMicros;
      return sum + Math.log(chosen / Math.min(oneMicros, twoMicros));
    }, 0);
  const candidates = [...divisible.map(({ flops }) => flops), Number.POSITIVE_INFINITY];
  return candidates.reduce((best, next) => (lossOf(next) < lossOf(best) ? next : best));
}

const options = new Command('bench:pool')
  .option('--precision <name>', 'arithmetic', oneOf(PRECISIONS), 'fp8')
  .option('--segments <list>', 'parts of a step', listOf(oneOf(SEGMENTS)), SEGMENTS)
  .option('--json', 'print JSON')
  .parse()
  .opts<Options>();
const checkpoint = openCheckpoint(packagePath(`models/${BUNDLED}`));
const { config } = checkpoint;
const wide = { name: 'four times as wide', config: wideConfig(config), source: RANDOM_SOURCE };
const results = [
  ...(await measureModel({ name: BUNDLED, config, source: checkpoint }, options)),
  ...(await measureModel(wide, options)),
];
checkpoint.close();
const parallelFlops = bestThreshold(results);
if (options.json) console.log(JSON.stringify({ parallelFlops, results }));
else {
  printTable(
    results.map(({ model, segment, rows, flops, oneMicros, twoMicros }) => ({
      ...{ model, segment, rows, MFLOPs: digits(flops / 1e6, 3) },
      'one (us)': digits(oneMicros, 3),
      'two (us)': digits(twoMicros, 3),
      ratio: (oneMicros / twoMicros).toFixed(2),
    })),
  );
  const paysFrom = `pay from ${digits(parallelFlops / 1e6, 3)} MFLOPs`;
  console.log(`\nTwo threads ${Number.isFinite(parallelFlops) ? paysFrom : 'do not pay'}.`);
}
