import type {
  Beam,
  BeamSearchResult,
  ChipInfo,
  Choice,
  Completion,
  DrawLogprobs,
  PromptLogprobs,
  ServerInfo,
  Timings,
} from '../../client/index.ts';
import { CHIPS } from '../../core/hardware/chip-catalogue.ts';
import { isByConstruction } from '../../core/timing/load-price.ts';

/** What device time is, for whoever reads of it. */
export function deviceClock({ chip, software }: ServerInfo): string {
  const isClaimed = CHIPS.some((known) => known.name === chip && isByConstruction(known));
  const basis = isClaimed ? 'as claimed; input, by construction' : software;
  return `device: ${chip} ${basis}`;
}

/** A prompt and its continuations. */
export type PromptResult =
  | { readonly kind: 'samples'; readonly prompt: string; readonly completion: Completion }
  | { readonly kind: 'beams'; readonly prompt: string; readonly search: BeamSearchResult };

/** The texts of a prompt, in order. */
export function outputsOf(result: PromptResult): readonly (Choice | Beam)[] {
  return result.kind === 'samples' ? result.completion.choices : result.search.beams;
}

/** The object that `sohu run --json` prints. */
export function runResult(info: ServerInfo, results: readonly PromptResult[]): object {
  return {
    model: info.modelName,
    precision: info.precision,
    tp: info.tensorParallelSize,
    clocks: { timings: 'host', device_timings: deviceClock(info) },
    device_ms: deviceMsOf(results),
    results: results.flatMap((result, index) => {
      const { prompt } = result;
      if (result.kind === 'beams') return beamObjects(result.search, { index, prompt });
      const { choices, promptLogprobs } = result.completion;
      return choices.map((choice) => ({
        ...choiceObject(choice, { index, prompt }),
        ...(promptLogprobs.length > 0 && { prompt_logprobs: promptLogprobs.map(promptObject) }),
      }));
    }),
    chips: info.chips.map(chipObject),
  };
}

/** A text as programs read it. */
export function choiceObject(
  choice: Choice,
  { index, prompt }: { readonly index: number; readonly prompt: string },
): object {
  const { usage, timings, deviceTimings, logprobs } = choice;
  return {
    index,
    choice: choice.index,
    prompt,
    text: choice.text,
    token_ids: choice.tokenIds,
    finish_reason: choice.finishReason,
    stop_reason: choice.stopReason ?? null,
    ...(logprobs.length > 0 && { logprobs: logprobs.map(logprobsObject) }),
    usage: {
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      cached_tokens: usage.cachedTokens,
    },
    timings: timingsObject(timings),
    ...(deviceTimings && { device_timings: timingsObject(deviceTimings) }),
    preemptions: choice.preemptions,
  };
}

function timingsObject(timings: Timings): object {
  return {
    queue_ms: timings.queueMs,
    prefill_ms: timings.prefillMs,
    decode_ms: timings.decodeMs,
    inference_ms: timings.inferenceMs,
    e2e_ms: timings.e2eMs,
  };
}

/** From the arrival of the prompts, which come at once, to the last token; null where it is not told. */
function deviceMsOf(results: readonly PromptResult[]): number | null {
  const all = results.flatMap((result) =>
    result.kind === 'samples'
      ? result.completion.choices.flatMap(({ deviceTimings }) => deviceTimings?.e2eMs ?? [])
      : [],
  );
  return all.length === 0 ? null : Math.max(...all);
}

/** Of each token but the first, which follows nothing. */
function promptObject({ token, ...logprobs }: PromptLogprobs): object {
  return { token_id: token, ...logprobsObject(logprobs) };
}

function logprobsObject({ logprob, top }: DrawLogprobs): object {
  return { logprob, top: top.map(({ token, logprob }) => ({ token_id: token, logprob })) };
}

/** Many requests make a beam, so that it has no timings of its own. */
function beamObjects(
  { promptTokens, beams }: BeamSearchResult,
  place: { readonly index: number; readonly prompt: string },
): object[] {
  return beams.map((beam, choice) => ({
    index: place.index,
    choice,
    prompt: place.prompt,
    text: beam.text,
    token_ids: beam.tokenIds,
    finish_reason: beam.finishReason,
    cumulative_logprob: beam.cumulativeLogprob,
    score: beam.score,
    usage: { prompt_tokens: promptTokens, completion_tokens: beam.tokenIds.length },
  }));
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
