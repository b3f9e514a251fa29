import { workerData } from 'node:worker_threads';
import { createWasmKernels } from '../../kernels/wasm.ts';
import { ShardExecutor } from '../../shard/executor.ts';
import type { ComputeWorkerData, SegmentPart } from './compute-pool.ts';

const { layout, memory } = workerData as ComputeWorkerData;
const kernels = createWasmKernels(memory);
const executors = new Map<number, ShardExecutor>();

/** Executes one part of a segment in this thread, on the memory that all threads share. */
export function runPart({ segment, layer, rows, part }: SegmentPart): void {
  let executor = executors.get(part);
  if (executor === undefined) {
    executor = new ShardExecutor(layout, kernels, part);
    executors.set(part, executor);
  }
  executor.run(segment, layer, rows);
}
