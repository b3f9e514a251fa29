import type { ChipInfo, Completion, ServerInfo } from '../client/index.ts';

/** A prompt and its continuation. */
export interface PromptResult {
  readonly prompt: string;
  readonly completion: Completion;
}

/** The object that `sohu run --json` prints. */
export function runResult(info: ServerInfo, results: readonly PromptResult[]): object {
  return {
    model: info.modelName,
    precision: info.precision,
    tp: info.tensorParallelSize,
    results: results.map(resultObject),
    chips: info.chips.map(chipObject),
  };
}

function resultObject({ prompt, completion }: PromptResult, index: number): object {
  const { text, tokenIds, finishReason, usage, timings } = completion;
  return {
    index,
    prompt,
    text,
    token_ids: tokenIds,
    finish_reason: finishReason,
    usage: {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      cached_tokens: usage.cachedTokens,
    },
    timings: {
      queue_ms: timings.queueMs,
      prefill_ms: timings.prefillMs,
      decode_ms: timings.decodeMs,
      e2e_ms: timings.e2eMs,
    },
  };
}

function chipObject(chip: ChipInfo): object {
  return {
    rank: chip.rank,
    pid: chip.pid,
    weight_bytes: chip.weightBytes,
    hbm_bytes_used: chip.hbmBytesUsed,
    hbm_bytes_total: chip.hbmBytesTotal,
    bytes_sent: chip.bytesSent,
    bytes_received: chip.bytesReceived,
    compute_ms: chip.computeMs,
    communication_ms: chip.communicationMs,
    steps: chip.steps,
    metrics_address: chip.metricsAddress,
  };
}
