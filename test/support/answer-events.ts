import type { GenerateEvent } from '../../services/rpc/inference-types.ts';

/**
 * What of an answer does not depend on its company and its engines: the events of each sample and the
 * log-probabilities of the prompt, without times, preemptions and hits of a cache. How a prompt is cut,
 * and how samples take turns, does.
 */
export function lastingParts(events: readonly GenerateEvent[]): unknown {
  const accepted = events.filter(({ kind }) => kind === 'accepted');
  const promptLogprobs = events.flatMap((event) =>
    event.kind === 'promptLogprobs' ? event.logprobs : [],
  );
  const samples = new Map<number, unknown[]>();
  for (const event of events) {
    if (event.kind !== 'tokens' && event.kind !== 'complete') continue;
    const sample = samples.get(event.index) ?? [];
    samples.set(event.index, sample);
    if (event.kind === 'tokens') sample.push(event);
    else {
      const { finishReason, stopReason, usage } = event;
      const { promptTokens, completionTokens } = usage;
      sample.push({ finishReason, stopReason, promptTokens, completionTokens });
    }
  }
  return { accepted, promptLogprobs, samples: [...samples].sort(([a], [b]) => a - b) };
}
