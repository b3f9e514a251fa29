import type { Workload } from '../capacity/workload.ts';
import { dollarsOfEach, partsOfEach, scaled, serveAlone, serveAtHighestRate } from './serve.ts';
import { ANNOUNCEMENT, ASSUMED, type VendorScenario } from './vendor-scenario.ts';

const AZURE = 'Azure LLM inference trace 2023, conversation: mean over 19,366 requests';
const MLPERF = 'MLPerf Inference 5.0, Llama 2 70B Interactive';
const PROMPT = { name: 'prompt, mean', value: 1155, unit: 'tokens', source: AZURE };
const ANSWER = { name: 'answer, mean', value: 211, unit: 'tokens', source: AZURE };
const SPREAD = {
  name: 'lognormal lengths, deviation over mean',
  value: 0.87,
  unit: '',
  source: 'the same trace: 0.96 of prompts, 0.77 of answers',
};
const FIRST = {
  name: 'p99 of the time to the first token',
  value: 450,
  unit: 'ms',
  source: MLPERF,
};
const EACH = { name: 'p99 of the time per token', value: 40, unit: 'ms', source: MLPERF };
const USERS = { name: 'users', value: 10e6, unit: 'users', source: ANNOUNCEMENT };
const MESSAGES = { name: 'messages of a user', value: 10, unit: 'a day', source: ASSUMED };
const PEAK = { name: 'busiest hour over the mean', value: 2, unit: '×', source: ASSUMED };
const REQUESTS = 1000;
const SECONDS_PER_DAY = 86_400;
const DAYS_PER_MONTH = 365.25 / 12;

/** Conversation with everybody who signed up. */
export const CHAT: VendorScenario = {
  name: 'chat',
  title: 'Chat with ten million users',
  said: {
    text: '“even OpenAI ran out of GPU capacity when ChatGPT signups hit 10M users”',
    source: ANNOUNCEMENT,
  },
  model: 'llama-3.1-70b',
  assumptions: [PROMPT, ANSWER, SPREAD, FIRST, EACH, USERS, MESSAGES, PEAK],
  caveats: [
    'The size and chips of ChatGPT then are not disclosed; this is a model of 70 billion parameters.',
  ],
  measure(target) {
    const one = serveAlone(target, workloadOf(1, target.seed, 0));
    const level = { goals: { ttft: FIRST.value, tpot: EACH.value }, percentile: 99 } as const;
    const found = serveAtHighestRate(
      target,
      workloadOf(REQUESTS, target.seed, SPREAD.value),
      level,
    );
    const peak = (USERS.value * MESSAGES.value * PEAK.value) / SECONDS_PER_DAY;
    const dollars = found === undefined ? null : dollarsOfEach(found.report, REQUESTS);
    return {
      parts: partsOfEach(one.parts, 1),
      measures: [
        {
          id: 'servers',
          name: 'Servers of eight chips for all',
          unit: 'count',
          value: found === undefined ? null : Math.ceil(peak / found.rate),
        },
        {
          id: 'requests_per_second',
          name: 'Messages/s of a server within the goals',
          unit: 'count',
          value: found?.rate ?? 0,
        },
        {
          id: 'answer_ms',
          name: 'Whole answer, alone',
          unit: 'ms',
          value: one.report.latencies.e2el.mean,
        },
        {
          id: 'first_token_ms',
          name: 'First token, alone',
          unit: 'ms',
          value: one.report.latencies.ttft.mean,
        },
        {
          id: 'dollars_per_user_month',
          name: '$ a user and month',
          unit: 'USD',
          // Servers are there for the busiest hour, and idle beside it.
          value: scaled(dollars, PEAK.value * MESSAGES.value * DAYS_PER_MONTH),
        },
      ],
    };
  },
};

function workloadOf(requests: number, seed: number, spread: number): Workload {
  return {
    kind: 'drawn',
    requests,
    requestRate: 1,
    burstiness: 1,
    inputTokens: PROMPT.value,
    outputTokens: ANSWER.value,
    lengths: { distribution: 'lognormal', spread },
    seed,
  };
}
