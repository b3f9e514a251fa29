import type { MeasuredAttention } from '../measured-operators.ts';
import { meanError } from '../operator-timer.ts';
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
    (timer) => meanError(rows, (row) => timer.attention(row)),
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
    (timer) => meanError(rows, (row) => timer.attention(row)),
  );
};

/**
 * Large batches of this table outrun the memory (the benchmark's blocks lie in the cache), so that only the launch and
 * the start on each sequence are fitted, where little is streamed; the memory's part is that of a plain read.
 */
export const fitGenerationAttention: KernelFit = (start, { attention, streams }) => {
  const rows = attention.filter(isSmallGeneration);
  const reads = streams.filter(({ kernel }) => kernel === 'read');
  const memoryEfficiency = Math.max(...reads.map((row) => leastSeconds(row) / row.seconds));
  return fit(
    [between(0, 30), between(0, 100), between(0, 100)],
    ([overheadMicros, narrow, wide]) => ({
      ...start,
      generationAttention: {
        overheadMicros: overheadMicros!,
        memoryEfficiency,
        startFlops: { narrow: narrow! * 1e6, wide: wide! * 1e6 },
      },
    }),
    (timer) => meanError(rows, (row) => timer.attention(row)),
  );
};

/** Less than 32 MB of keys and values: 8 heads of 128, over the chips. */
export const isSmallGeneration = ({
  kind,
  batch,
  tokens,
  kvBytes,
  tp,
}: MeasuredAttention): boolean =>
  kind === 'generation' && (batch * tokens * 2 * 8 * 128 * kvBytes) / tp < 32e6;
