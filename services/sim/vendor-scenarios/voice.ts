import type { Workload } from '../capacity/workload.ts';
import { dollarsOfEach, partsOfEach, scaled, serveAlone, serveAtHighestRate } from './serve.ts';
import { ASSUMED, type VendorScenario } from './vendor-scenario.ts';

const PROMPT = {
  name: 'prompt of a turn: all that was said, computed anew',
  value: 4000,
  unit: 'tokens',
  source:
    '“thousands of words”: 3,000 words at 0.75 words a token (platform.openai.com, tokenizer)',
};
const ANSWER = { name: 'answer', value: 60, unit: 'tokens', source: `${ASSUMED}: 45 words` };
const GAP = {
  name: 'p99 of the time to the first token at the most',
  value: 200,
  unit: 'ms',
  source: 'the usual gap between speakers (Stivers et al., PNAS 106:26, 2009)',
};
const PACE = {
  name: 'p99 of the time per token at the most',
  value: 300,
  unit: 'ms',
  source: `speech of 150 words a minute (${ASSUMED})`,
};
const TURN = { name: 'time between two answers of a call', value: 15, unit: 's', source: ASSUMED };
const REQUESTS = 400;
const SECONDS_PER_HOUR = 3600;

/** Answering aloud, quickly enough that nobody notices. */
export const VOICE: VendorScenario = {
  name: 'voice',
  title: 'Real-time voice: thousands of words understood before the caller notices a pause',
  said: {
    text: 'real-time voice agents that take in thousands of words in milliseconds',
    source: 'early etched.ai page, in the words of those who quote it (secondary)',
  },
  model: 'llama-3.1-70b',
  assumptions: [PROMPT, ANSWER, GAP, PACE, TURN],
  caveats: [
    'Of the language model alone: hearing, speaking and the network come on top.',
    'A call whose earlier turns are in the prefix cache is understood sooner.',
  ],
  measure(target) {
    const one = serveAlone(target, workloadOf(1, target.seed));
    const { ttft } = one.report.latencies;
    const level = { goals: { ttft: GAP.value, tpot: PACE.value }, percentile: 99 } as const;
    const found = serveAtHighestRate(target, workloadOf(REQUESTS, target.seed), level);
    const dollars = found === undefined ? null : dollarsOfEach(found.report, REQUESTS);
    return {
      parts: partsOfEach(one.parts, 1),
      measures: [
        { id: 'first_token_ms', name: 'First token, alone', unit: 'ms', value: ttft.mean },
        {
          id: 'answer_ms',
          name: 'Whole answer, alone',
          unit: 'ms',
          value: one.report.latencies.e2el.mean,
        },
        {
          id: 'calls',
          name: 'Calls within the goals',
          unit: 'count',
          value: Math.floor((found?.rate ?? 0) * TURN.value),
        },
        {
          id: 'p99_first_token_ms',
          name: 'p99 first token then',
          unit: 'ms',
          value: found?.report.latencies.ttft.percentiles.at(-1) ?? null,
        },
        {
          id: 'dollars_per_call_hour',
          name: '$ an hour of a call',
          unit: 'USD',
          value: scaled(dollars, SECONDS_PER_HOUR / TURN.value),
        },
      ],
    };
  },
};

function workloadOf(requests: number, seed: number): Workload {
  return {
    kind: 'drawn',
    requests,
    requestRate: 1,
    burstiness: 1,
    inputTokens: PROMPT.value,
    outputTokens: ANSWER.value,
    lengths: { distribution: 'fixed', spread: 0 },
    seed,
  };
}
