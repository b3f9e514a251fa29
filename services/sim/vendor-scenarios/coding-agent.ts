import { type PlannedRequest, TRACE_BLOCK_TOKENS } from '../capacity/planned-request.ts';
import type { Workload } from '../capacity/workload.ts';
import { dollarsOfEach, partsOfEach, serve, serveAlone } from './serve.ts';
import { ANNOUNCEMENT, ASSUMED, type VendorScenario } from './vendor-scenario.ts';

const TURNS = { name: 'turns of a task', value: 40, unit: 'turns', source: ASSUMED };
const COMMON = {
  name: 'instructions and tools, the same for every agent',
  value: 8192,
  unit: 'tokens',
  source: ASSUMED,
};
const TASK = { name: 'task and files at the start', value: 4096, unit: 'tokens', source: ASSUMED };
const OUTPUT = { name: 'thought and call of a turn', value: 300, unit: 'tokens', source: ASSUMED };
const RESULT = { name: 'result of a tool', value: 1000, unit: 'tokens', source: ASSUMED };
const TOOL = { name: 'time of a tool', value: 5, unit: 's', source: ASSUMED };
const AGENTS = {
  name: 'agents on one server, for the cost',
  value: 8,
  unit: 'agents',
  source: ASSUMED,
};
const MICROS_PER_SECOND = 1e6;
const SECONDS_PER_MINUTE = 60;

/** Many turns, each of which sends all that was before. */
export const CODING_AGENT: VendorScenario = {
  name: 'agent',
  title: 'A coding agent: forty turns, each with all that was before',
  said: {
    text: '“Coding agents cost more than software engineers and take hours to finish tasks”',
    source: ANNOUNCEMENT,
  },
  model: 'llama-3.1-70b',
  assumptions: [TURNS, COMMON, TASK, OUTPUT, RESULT, TOOL, AGENTS],
  caveats: [
    'The prefix cache holds earlier prompts; what was generated is computed anew where it comes back in a prompt.',
    'Agents begin one after the other, so that they do not work in step; all chips serve as many of them.',
  ],
  measure(target) {
    const elsewhere = TURNS.value * TOOL.value;
    const one = serveAlone(target, workloadOf(1));
    const uncached = serveAlone(target, workloadOf(1), { isCached: false });
    const all = serve(target, workloadOf(AGENTS.value));
    const turnSeconds = (TURNS.value * all.latencies.e2el.mean) / 1000;
    const seconds = (TURNS.value * one.report.latencies.e2el.mean) / 1000;
    return {
      parts: partsOfEach(one.parts, 1, elsewhere),
      measures: [
        {
          id: 'task_minutes',
          name: 'A task, alone, tools included',
          unit: 'min',
          value: (seconds + elsewhere) / SECONDS_PER_MINUTE,
        },
        { id: 'model_s', name: 'of it the model', unit: 's', value: seconds },
        {
          id: 'uncached_model_s',
          name: 'without prefix cache',
          unit: 's',
          value: (TURNS.value * uncached.report.latencies.e2el.mean) / 1000,
        },
        {
          id: 'shared_task_minutes',
          name: `A task among ${AGENTS.value} agents`,
          unit: 'min',
          value: (turnSeconds + elsewhere) / SECONDS_PER_MINUTE,
        },
        {
          id: 'prefix_cache_hit_rate',
          name: 'Prompt tokens cached',
          unit: 'share',
          value: all.prefixCacheHitRate,
        },
        {
          id: 'dollars_per_task',
          name: '$ a task among them',
          unit: 'USD',
          value: dollarsOfEach(all, AGENTS.value),
        },
      ],
    };
  },
};

/** Sessions whose turns follow one another; all begin with the same content. */
function workloadOf(agents: number): Workload {
  const spacing = (TOOL.value * MICROS_PER_SECOND) / agents;
  const trace = Array.from({ length: agents * TURNS.value }, (_, number): PlannedRequest => {
    const agent = Math.floor(number / TURNS.value);
    const turn = number % TURNS.value;
    const inputTokens = COMMON.value + TASK.value + turn * (OUTPUT.value + RESULT.value);
    const request = {
      arrivalMicros: agent * spacing,
      inputTokens,
      outputTokens: OUTPUT.value,
      contentIds: contentOf(agent, inputTokens),
    };
    if (turn === 0) return request;
    const pauseMicros = TOOL.value * MICROS_PER_SECOND;
    return { ...request, follows: { number: number - 1, pauseMicros } };
  });
  return { kind: 'replayed', trace, requests: undefined, requestRate: undefined };
}

/** Common content has the lowest ids; what an agent adds has ids of its own. */
function contentOf(agent: number, inputTokens: number): readonly number[] {
  const common = COMMON.value / TRACE_BLOCK_TOKENS;
  const blocks = Math.ceil(inputTokens / TRACE_BLOCK_TOKENS);
  return Array.from({ length: blocks }, (_, block) =>
    block < common ? block : common + agent * 1000 + block,
  );
}
