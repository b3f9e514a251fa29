import { rowsOf } from './operator.ts';
import type { StepShape } from './step-shape.ts';

/** The steps that an engine replays as a recorded graph, and the sizes that it recorded. */
export interface RecordedGraphs {
  /** Whether a step is replayed: one of decoding alone, of no more rows than the largest graph. */
  covers(shape: StepShape): boolean;
  /** Rows that kernels are launched with: a replayed step is padded to the next recorded size. */
  launchedRows(shape: StepShape): number;
}

/**
 * Graphs of those batch sizes, ascending, up to the largest batch that the engine takes: of that one there
 * is a graph in place of the first that is larger (`_filter_cuda_graph_batch_sizes` of TensorRT-LLM).
 */
export function makeRecordedGraphs(
  batchSizes: readonly number[],
  maxNumSeqs = Number.POSITIVE_INFINITY,
): RecordedGraphs {
  const largest = Math.min(maxNumSeqs, batchSizes.at(-1) ?? 0);
  const covers = (shape: StepShape): boolean =>
    shape.prefillTokens === 0 && shape.decodeSequences > 0 && shape.decodeSequences <= largest;
  return {
    covers,
    launchedRows(shape) {
      if (!covers(shape)) return rowsOf(shape);
      for (const size of batchSizes) {
        if (shape.decodeSequences <= size) return Math.min(size, largest);
      }
      return largest;
    },
  };
}
