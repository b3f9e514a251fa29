import { Gauge, type Registry } from 'prom-client';
import type { Coordinator } from '../../cluster/coordinator.ts';
import type { Scheduler } from '../../core/scheduler/scheduler.ts';
import type { SchedulerStats } from '../../core/scheduler/scheduler-stats.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';
import { registerTotal } from './read-counter.ts';
import { ITERATION_TOKENS } from './vllm-buckets.ts';

/** What vLLM tells of its KV cache, as labels. */
export interface CacheConfig {
  readonly blockSize: number;
  readonly cacheDtype: string;
  readonly enablePrefixCaching: boolean;
  readonly numGpuBlocksOverride: number | undefined;
}

/** What vLLM tells of its scheduler and its KV cache, by its names; read when somebody asks. */
export class VllmEngineMetrics {
  readonly #registers: Registry[];
  readonly #scheduler: () => Scheduler | undefined;
  readonly #iterationTokens: BucketCounts;

  constructor(registry: Registry, coordinator: Coordinator, config: CacheConfig) {
    this.#registers = [registry];
    this.#scheduler = () => coordinator.scheduler;
    this.#iterationTokens = new CountedHistogram(registry, {
      name: 'vllm:iteration_tokens_total',
      help: 'Tokens per engine step.',
      bounds: ITERATION_TOKENS,
    }).child();
    this.#load();
    this.#counters(registry);
    this.#cacheConfig(coordinator, config);
  }

  stepCompleted(tokens: number): void {
    this.#iterationTokens.observe(tokens);
  }

  #load(): void {
    this.#gauge('num_requests_running', 'Requests in execution.', (it) => it.runningCount);
    this.#gauge('num_requests_waiting', 'Requests that wait.', (it) => it.waitingCount);
    this.#gauge('kv_cache_usage_perc', 'KV cache usage; 1 is all.', kvUsage);
    const scheduler = this.#scheduler;
    new Gauge({
      name: 'vllm:num_requests_waiting_by_reason',
      help: 'Requests that wait, by why: none is deferred here.',
      labelNames: ['reason'],
      registers: this.#registers,
      collect() {
        this.set({ reason: 'capacity' }, scheduler()?.waitingCount ?? 0);
        this.set({ reason: 'deferred' }, 0);
      },
    });
  }

  #counters(registry: Registry): void {
    const current = this.#scheduler;
    const counter = (name: string, help: string, field: keyof CounterFields): void =>
      registerTotal(
        registry,
        { name: `vllm:${name}_total`, help },
        () => current()?.stats[field] ?? 0,
      );
    counter('prefix_cache_queries', 'Prefix cache queries, in tokens.', 'prefixCacheQueries');
    counter('prefix_cache_hits', 'Prefix cache hits, in tokens.', 'prefixCacheHits');
    counter('num_preemptions', 'Preemptions of the engine.', 'preemptions');
  }

  #cacheConfig(coordinator: Coordinator, config: CacheConfig): void {
    new Gauge({
      name: 'vllm:cache_config_info',
      help: 'The configuration of the KV cache.',
      labelNames: [
        'block_size',
        'cache_dtype',
        'enable_prefix_caching',
        'num_gpu_blocks',
        'num_gpu_blocks_override',
      ],
      registers: this.#registers,
      collect() {
        this.reset();
        this.set(
          {
            block_size: config.blockSize,
            cache_dtype: config.cacheDtype,
            enable_prefix_caching: config.enablePrefixCaching ? 'True' : 'False',
            num_gpu_blocks: coordinator.scheduler?.totalBlocks ?? 0,
            num_gpu_blocks_override: config.numGpuBlocksOverride ?? 'None',
          },
          1,
        );
      },
    });
  }

  #gauge(name: string, help: string, read: (scheduler: Scheduler) => number): void {
    const current = this.#scheduler;
    new Gauge({
      name: `vllm:${name}`,
      help,
      registers: this.#registers,
      collect() {
        const scheduler = current();
        this.set(scheduler === undefined ? 0 : read(scheduler));
      },
    });
  }
}

/** Blocks in use of all blocks; those that only the cache holds are free. */
function kvUsage({ usedBlocks, totalBlocks }: Scheduler): number {
  return usedBlocks / totalBlocks;
}

type CounterFields = Pick<SchedulerStats, 'preemptions' | 'prefixCacheQueries' | 'prefixCacheHits'>;
