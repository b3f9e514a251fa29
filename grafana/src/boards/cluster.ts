import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { makeBoard, type Row } from '../board.ts';
import { chart, type Query, tile } from '../panels.ts';
import { meanBy, quantileBy, rateBy, shareUpTo } from '../promql.ts';
import { datasourceVariable, ENGINE, engineVariables, goalVariable } from '../variables.ts';

const BY = 'model_name';
const KV_LEVELS = [
  [0, 'green'],
  [0.9, 'orange'],
  [0.98, 'red'],
] as const;
const GOAL_LEVELS = [
  [0, 'red'],
  [0.95, 'orange'],
  [0.99, 'green'],
] as const;
const ANY_LEVELS = [
  [0, 'green'],
  [0.001, 'orange'],
] as const;

/** Bounds that the buckets of vLLM have. */
const TTFT_BOUNDS = ['0.1', '0.25', '0.5', '1', '2.5', '5', '10'];
const TPOT_BOUNDS = ['0.01', '0.025', '0.05', '0.1', '0.2', '0.5'];

const TTFT = { by: BY, name: 'vllm:time_to_first_token_seconds', selector: ENGINE };
const TPOT = { by: BY, name: 'vllm:request_time_per_output_token_seconds', selector: ENGINE };

/** Quantiles of one of our own histograms, whose buckets are narrow, and the mean. */
function latency(name: string): readonly Query[] {
  const quantiles = [0.5, 0.95, 0.99].map((quantile): Query => {
    const expression = quantileBy(quantile, { by: BY, name, selector: ENGINE });
    return [expression, `{{model_name}} p${100 * quantile}`];
  });
  return [...quantiles, [meanBy(BY, name, ENGINE), '{{model_name}} mean']];
}

function p95(name: string): readonly Query[] {
  return [[quantileBy(0.95, { by: BY, name, selector: ENGINE }), '{{model_name}}']];
}

const TILES: Row = {
  title: 'At a glance',
  panels: [
    tile({
      title: 'Requests',
      description: 'Samples that ended, per second.',
      unit: 'reqps',
      queries: [[rateBy(BY, `vllm:request_success_total${ENGINE}`), '{{model_name}}']],
    }),
    tile({
      title: 'Input',
      description: 'Prompt tokens per second of host time, those from the cache included.',
      unit: 'short',
      queries: [[rateBy(BY, `vllm:prompt_tokens_total${ENGINE}`), '{{model_name}}']],
    }),
    tile({
      title: 'Output',
      description: 'Generated tokens per second of host time.',
      unit: 'short',
      queries: [[rateBy(BY, `vllm:generation_tokens_total${ENGINE}`), '{{model_name}}']],
    }),
    tile({
      title: 'HTTP 5xx',
      description: 'Share of responses that failed on the server’s side.',
      unit: 'percentunit',
      queries: [
        [
          '(sum(rate(http_requests_total{status="5xx"}[$__rate_interval])) or vector(0)) / sum(rate(http_requests_total[$__rate_interval]))',
          'share',
        ],
      ],
      levels: ANY_LEVELS,
    }),
    tile({
      title: 'TTFT p95',
      description: 'Host time to the first token; from buckets that are 26 % wide.',
      unit: 's',
      queries: p95('sohu_time_to_first_token_seconds'),
    }),
    tile({
      title: 'ITL p95',
      description: 'Host time between tokens; from buckets that are 26 % wide.',
      unit: 's',
      queries: p95('sohu_inter_token_latency_seconds'),
    }),
    tile({
      title: 'E2E p95',
      description: 'Host time of a request; from buckets that are 26 % wide.',
      unit: 's',
      queries: p95('sohu_e2e_latency_seconds'),
    }),
    tile({
      title: 'Engines',
      description: 'Engines that answer the gateway.',
      unit: 'short',
      queries: [['sum(sohu_gateway_engines)', 'engines']],
      levels: [
        [0, 'red'],
        [1, 'green'],
      ],
    }),
    tile({
      title: 'Running',
      description: 'Samples that take part in steps.',
      unit: 'short',
      queries: [[`sum by (${BY}) (vllm:num_requests_running${ENGINE})`, '{{model_name}}']],
    }),
    tile({
      title: 'Waiting',
      description: 'Samples in the queue.',
      unit: 'short',
      queries: [[`sum by (${BY}) (vllm:num_requests_waiting${ENGINE})`, '{{model_name}}']],
    }),
    tile({
      title: 'KV cache',
      description: 'Blocks in use; from 98 % on, samples give way to each other.',
      unit: 'percentunit',
      queries: [[`max by (${BY}) (vllm:kv_cache_usage_perc${ENGINE})`, '{{model_name}}']],
      levels: KV_LEVELS,
      max: 1,
    }),
    tile({
      title: 'Preemptions',
      description: 'Samples that gave way to others, per second.',
      unit: 'short',
      queries: [[rateBy(BY, `vllm:num_preemptions_total${ENGINE}`), '{{model_name}}']],
      levels: ANY_LEVELS,
    }),
    tile({
      title: 'Prefix hits',
      description: 'Share of prompt tokens that the prefix cache had.',
      unit: 'percentunit',
      queries: [
        [
          `${rateBy(BY, `vllm:prefix_cache_hits_total${ENGINE}`)} / ${rateBy(BY, `vllm:prefix_cache_queries_total${ENGINE}`)}`,
          '{{model_name}}',
        ],
      ],
    }),
    tile({
      title: 'TTFT goal',
      description: 'Share of samples whose first token came within the goal.',
      unit: 'percentunit',
      queries: [[shareUpTo('$ttft_slo', TTFT), '{{model_name}}']],
      levels: GOAL_LEVELS,
    }),
    tile({
      title: 'TPOT goal',
      description: 'Share of samples whose time per output token was within the goal.',
      unit: 'percentunit',
      queries: [[shareUpTo('$tpot_slo', TPOT), '{{model_name}}']],
      levels: GOAL_LEVELS,
    }),
    tile({
      title: 'Epoch',
      description: 'Raised whenever the chips of a group begin anew.',
      unit: 'short',
      queries: [[`max by (engine) (sohu_epoch${ENGINE})`, 'engine {{engine}}']],
    }),
  ],
};

const LATENCY: Row = {
  title: 'Latency (host time)',
  panels: [
    chart({
      title: 'Time to first token',
      description: 'Quantiles are off by less than a bucket, which is 26 % wide.',
      unit: 's',
      queries: latency('sohu_time_to_first_token_seconds'),
    }),
    chart({
      title: 'Inter-token latency',
      description: 'Quantiles are off by less than a bucket, which is 26 % wide.',
      unit: 's',
      queries: latency('sohu_inter_token_latency_seconds'),
    }),
    chart({
      title: 'End-to-end latency',
      description: 'Quantiles are off by less than a bucket, which is 26 % wide.',
      unit: 's',
      queries: latency('sohu_e2e_latency_seconds'),
    }),
    chart({
      title: 'Mean time by phase',
      description:
        'Means, because the first bucket of vLLM’s histograms ends at 0.3 s: it cannot tell phases apart.',
      unit: 's',
      stacked: true,
      queries: ['queue', 'prefill', 'decode'].map((phase) => [
        meanBy(BY, `vllm:request_${phase}_time_seconds`, ENGINE),
        `{{model_name}} ${phase}`,
      ]),
    }),
    chart({
      title: 'Within the goals',
      description: 'Exact shares: the goals are bounds of buckets.',
      unit: 'percentunit',
      max: 1,
      queries: [
        [shareUpTo('$ttft_slo', TTFT), '{{model_name}} TTFT ≤ $ttft_slo s'],
        [shareUpTo('$tpot_slo', TPOT), '{{model_name}} TPOT ≤ $tpot_slo s'],
      ],
    }),
    chart({
      title: 'Mean time per output token',
      description: 'As vLLM counts it: of each sample, without its first token.',
      unit: 's',
      queries: [
        [meanBy(BY, 'vllm:request_time_per_output_token_seconds', ENGINE), '{{model_name}}'],
      ],
    }),
  ],
};

const THROUGHPUT: Row = {
  title: 'Throughput',
  panels: [
    chart({
      title: 'Tokens per second',
      description: 'Of host time, as clients see them.',
      unit: 'short',
      queries: [
        [rateBy(BY, `vllm:prompt_tokens_total${ENGINE}`), '{{model_name}} input'],
        [rateBy(BY, `vllm:generation_tokens_total${ENGINE}`), '{{model_name}} output'],
      ],
    }),
    chart({
      title: 'Requests by how they ended',
      description: 'Samples that ended, per second.',
      unit: 'reqps',
      stacked: true,
      queries: [
        [rateBy('finished_reason', `vllm:request_success_total${ENGINE}`), '{{finished_reason}}'],
      ],
    }),
    chart({
      title: 'Prompt tokens by source',
      description: 'Computed, or from the prefix cache.',
      unit: 'short',
      stacked: true,
      queries: [[rateBy('source', `vllm:prompt_tokens_by_source_total${ENGINE}`), '{{source}}']],
    }),
    chart({
      title: 'HTTP responses',
      description: 'By route and class of status, per second.',
      unit: 'reqps',
      queries: [[rateBy('handler, status', 'http_requests_total'), '{{handler}} {{status}}']],
    }),
    chart({
      title: 'Open at the gateway',
      description: 'Generation requests that are being answered.',
      unit: 'short',
      queries: [['sum(sohu_gateway_open_requests)', 'open']],
    }),
    chart({
      title: 'Refused or cut at the gateway',
      description: 'What was no HTTP, and streams that nobody read, per second.',
      unit: 'short',
      queries: [
        ['sum(rate(sohu_gateway_malformed_http_total[$__rate_interval]))', 'no HTTP'],
        ['sum(rate(sohu_gateway_slow_readers_total[$__rate_interval]))', 'slow readers'],
      ],
    }),
  ],
};

const SATURATION: Row = {
  title: 'Saturation',
  panels: [
    chart({
      title: 'Scheduler',
      description: 'Samples that run, and that wait.',
      unit: 'short',
      queries: [
        [`sum by (${BY}) (vllm:num_requests_running${ENGINE})`, '{{model_name}} running'],
        [
          `sum by (${BY}, reason) (vllm:num_requests_waiting_by_reason${ENGINE})`,
          '{{model_name}} waiting: {{reason}}',
        ],
      ],
    }),
    chart({
      title: 'KV cache',
      description: 'Blocks in use of all blocks.',
      unit: 'percentunit',
      max: 1,
      levels: KV_LEVELS,
      queries: [[`vllm:kv_cache_usage_perc${ENGINE}`, '{{model_name}} engine {{engine}}']],
    }),
    chart({
      title: 'Preemptions',
      description:
        'Samples that gave way to others, per second: the step before the latency cliff.',
      unit: 'short',
      queries: [[rateBy(BY, `vllm:num_preemptions_total${ENGINE}`), '{{model_name}}']],
    }),
    chart({
      title: 'Mean batch',
      description: 'Sequences of a step, by phase.',
      unit: 'short',
      stacked: true,
      queries: [[meanBy('phase', 'sohu_batch_sequences', ENGINE), '{{phase}}']],
    }),
    chart({
      title: 'Tokens of a step',
      description: 'Mean, by phase.',
      unit: 'short',
      stacked: true,
      queries: [[meanBy('phase', 'sohu_batch_tokens', ENGINE), '{{phase}}']],
    }),
    chart({
      title: 'Steps',
      description: 'Per second of host time, and those that were given up.',
      unit: 'short',
      queries: [
        [rateBy('engine', `sohu_steps_total${ENGINE}`), 'engine {{engine}}'],
        [rateBy('engine', `sohu_failed_steps_total${ENGINE}`), 'engine {{engine}}, given up'],
      ],
    }),
  ],
};

/** What a cluster does for its clients. */
export function clusterBoard(): Dashboard {
  return makeBoard({
    uid: 'sohu-cluster',
    title: 'Sohu: cluster overview',
    description: 'What clients get, and how full the cluster is.',
    variables: [
      datasourceVariable(),
      ...engineVariables(),
      goalVariable('ttft_slo', { title: 'TTFT goal (s)', bounds: TTFT_BOUNDS, goal: '0.5' }),
      goalVariable('tpot_slo', { title: 'TPOT goal (s)', bounds: TPOT_BOUNDS, goal: '0.05' }),
    ],
    rows: [TILES, LATENCY, THROUGHPUT, SATURATION],
  });
}
