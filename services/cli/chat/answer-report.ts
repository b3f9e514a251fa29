import type { Choice, Timings } from '../../client/index.ts';
import { countOf, formatMs } from '../terminal/format.ts';

/** Lines that say what an answer took, by both clocks. */
export function describeAnswer(
  { usage, timings, deviceTimings, finishReason }: Choice,
  clock: string,
): string[] {
  const tokens = usage.completionTokens;
  const counts = [
    `${countOf(usage.promptTokens, 'prompt token')} (${usage.cachedTokens} cached)`,
    `${countOf(tokens, 'token')} to ${finishReason}`,
  ].join(', ');
  return [
    counts,
    `[host] ${describeTimings(timings, tokens)}`,
    ...(deviceTimings === undefined
      ? []
      : [`[${clock}] ${describeTimings(deviceTimings, tokens)}`]),
  ];
}

/** TTFT counts from the arrival, waiting included; TPOT is the mean of the tokens after the first. */
function describeTimings({ queueMs, prefillMs, decodeMs, e2eMs }: Timings, tokens: number): string {
  const parts = [`TTFT ${formatMs(queueMs + prefillMs)}`];
  if (tokens > 1) {
    const tpotMs = decodeMs / (tokens - 1);
    parts.push(`TPOT ${formatMs(tpotMs)} (${Math.round(1000 / tpotMs)} tokens/s)`);
  }
  return [...parts, `in all ${formatMs(e2eMs)}`].join(', ');
}
