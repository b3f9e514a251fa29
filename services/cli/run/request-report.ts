import type { Beam, Choice, ServerInfo, Timings } from '../../client/index.ts';
import { countOf, formatMs } from '../terminal/format.ts';
import { deviceClock, type PromptResult } from './run-result.ts';

/** How texts are told apart: by their prompt, and where it has several by their place among them. */
export function labelOf(place: {
  readonly prompt: number;
  readonly choice: number;
  readonly choices: number;
}): string {
  const { prompt, choice, choices } = place;
  return choices > 1 ? `${prompt + 1}.${choice + 1}` : String(prompt + 1);
}

/** A line for every text: what it took, and why it ended. */
export function describeOutputs(info: ServerInfo, results: readonly PromptResult[]): string[] {
  const clock = deviceClock(info);
  return results.flatMap((result, prompt) => {
    const lines =
      result.kind === 'samples'
        ? result.completion.choices.map((choice) => describeChoice(choice, clock))
        : result.search.beams.map(describeBeam);
    const choices = lines.length;
    return lines.map((line, choice) => `${labelOf({ prompt, choice, choices })}: ${line}`);
  });
}

function describeChoice(choice: Choice, clock: string): string {
  const { usage, timings, deviceTimings, finishReason, stopReason, preemptions } = choice;
  const reason = stopReason === undefined ? '' : ` at ${JSON.stringify(stopReason)}`;
  return [
    `${countOf(usage.promptTokens, 'prompt token')} (${usage.cachedTokens} cached)`,
    `${countOf(usage.completionTokens, 'token')} to ${finishReason}${reason}`,
    `queue ${formatMs(timings.queueMs)}`,
    `prefill ${formatMs(timings.prefillMs)}`,
    `decode ${formatMs(timings.decodeMs)}`,
    `in all ${formatMs(timings.e2eMs)}`,
    ...(deviceTimings === undefined ? [] : [describeDevice(deviceTimings, clock)]),
    countOf(preemptions, 'preemption'),
  ].join(', ');
}

function describeDevice({ queueMs, prefillMs, decodeMs, e2eMs }: Timings, clock: string): string {
  const parts = `queue ${formatMs(queueMs)}, prefill ${formatMs(prefillMs)}, decode ${formatMs(decodeMs)}`;
  return `[${clock}] ${parts}, in all ${formatMs(e2eMs)}`;
}

function describeBeam({ tokenIds, finishReason, cumulativeLogprob, score }: Beam): string {
  return [
    `${countOf(tokenIds.length, 'token')} to ${finishReason}`,
    `log-probability ${cumulativeLogprob.toFixed(4)}`,
    `score ${score.toFixed(4)}`,
  ].join(', ');
}
