import { H100 } from '../../core/hardware/chips/h100.ts';
import { valueAt } from '../../core/hardware/figure.ts';
import type { KernelParameters } from '../../core/timing/calibration-model.ts';
import { meanTimeError } from '../mean-error.ts';
import type { MeasuredAttention } from '../measured-operators.ts';
import { leastSeconds } from './fit-passes.ts';
import { between, fit, type KernelFit } from './kernel-fit.ts';

/** Attention of prompts in bf16. */
export const fitContextAttention: KernelFit = (start, { attention }) => {
  const rows = attention.filter(({ kind, narrow }) => kind === 'context' && !narrow);
  return fit(
    [between(0, 30), between(0.1, 0.95), between(0, 6)],
    ([overheadMicros, computeEfficiency, passes]) => ({
      ...start,
      contextAttention: {
        ...start.contextAttention,
        overheadMicros: overheadMicros!,
        computeEfficiency: computeEfficiency!,
        passes: passes!,
      },
    }),
    (timer) => meanTimeError(rows, (row) => timer.attention(row)),
  );
};

/** The same kernel in fp8: what it launches and passes over stays. */
export const fitNarrowAttention: KernelFit = (start, { attention }) => {
  const rows = attention.filter(({ kind, narrow }) => kind === 'context' && narrow);
  return fit(
    [between(0.1, 0.95)],
    ([narrowComputeEfficiency]) => ({
      ...start,
      contextAttention: {
        ...start.contextAttention,
        narrowComputeEfficiency: narrowComputeEfficiency!,
      },
    }),
    (timer) => meanTimeError(rows, (row) => timer.attention(row)),
  );
};

/**
 * Where little is streamed, the launch and the start on each sequence. Large batches of this table outrun the memory
 * (the benchmark's blocks lie in the cache): they show what the kernel computes, while the memory's part is that
 * of a plain read.
 */
export const fitGenerationAttention: KernelFit = (start, { attention, streams }) => {
  const generation = attention.filter(({ kind }) => kind === 'generation');
  const small = generation.filter(isSmallGeneration);
  const cached = generation.filter((row) => keyBytesOf(row) >= CACHED_BYTES);
  const reads = streams.filter(({ kernel }) => kernel === 'read');
  const memoryEfficiency = Math.max(...reads.map((row) => leastSeconds(row) / row.seconds));
  const million = between(0, 100);
  return fit(
    [between(0, 30), million, million, between(0, 1), between(0, 1)],
    ([overheadMicros, narrowStart, wideStart, narrow, wide]) => ({
      ...start,
      generationAttention: {
        overheadMicros: overheadMicros!,
        memoryEfficiency,
        startFlops: { narrow: narrowStart! * 1e6, wide: wideStart! * 1e6 },
        tokenFlops: { narrow: narrow! * 1e6, wide: wide! * 1e6 },
      },
    }),
    (timer, kernels) =>
      meanTimeError(small, (row) => timer.attention(row)) +
      meanTimeError(cached, (row) => computedSeconds(row, kernels)),
  );
};

/** Keys and values of these take far longer to stream than was measured. */
const CACHED_BYTES = 128e6;
const MEASURED_KV_HEADS = 8;
const MEASURED_HEAD_DIM = 128;

/** On one chip of the measured group. */
function keyBytesOf({ batch, tokens, kvBytes, tp }: MeasuredAttention): number {
  return (2 * batch * tokens * MEASURED_KV_HEADS * MEASURED_HEAD_DIM * kvBytes) / tp;
}

/** Of attention whose keys and values need not be streamed. */
function computedSeconds(
  { batch, tokens, kvBytes, tp }: MeasuredAttention,
  { generationAttention }: KernelParameters,
): number {
  const { overheadMicros, startFlops, tokenFlops } = generationAttention;
  const width = kvBytes === 1 ? 'narrow' : 'wide';
  const flops = (batch * MEASURED_KV_HEADS * (startFlops[width] + tokens * tokenFlops[width])) / tp;
  return overheadMicros * 1e-6 + flops / valueAt(H100.peakFlops.bf16!, 'middle');
}

/** Less than 32 MB of keys and values. */
export const isSmallGeneration = (row: MeasuredAttention): boolean =>
  row.kind === 'generation' && keyBytesOf(row) < 32e6;
