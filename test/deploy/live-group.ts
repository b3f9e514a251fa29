import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { MemoryBroker } from '../../services/bus/memory-bus.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import { SOHU } from '../../services/core/hardware/chips/sohu.ts';
import { ChipHost } from '../../services/runtime/chip/chip-host.ts';
import { CoordinatorHost } from '../../services/runtime/coordinator/coordinator-host.ts';
import { ChipMetrics } from '../../services/runtime/metrics/chip-metrics.ts';
import { EngineMonitor } from '../../services/runtime/telemetry/engine-monitor.ts';
import { GroupSubjects } from '../../services/wire/subjects.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makePricer } from '../support/pricing.ts';
import { BUNDLED_MODELS } from '../support/requirements.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';

const CHIPS = 2;
const PLACE = { cluster: 'test', group: '0' };
const LIMITS = { maxNumSeqs: 4, maxNumBatchedTokens: 32, blockSize: 4 };
const MAX_MODEL_LEN = 64;
const SERVING = {
  phantom: undefined,
  ...LIMITS,
  precision: 'fp8',
  tp: CHIPS,
  enablePrefixCaching: true,
  numGpuBlocksOverride: 16,
} as const;

/** A group of two chips in this process, whose metrics are those of the real programs. */
export interface LiveGroup {
  readonly coordinator: CoordinatorHost;
  readonly monitor: EngineMonitor;
  readonly chips: readonly ChipHost[];
  readonly chipMetrics: readonly ChipMetrics[];
  /** Runs one request to its end; `onToken` is called while it runs. */
  generate(promptTokens: readonly number[], maxTokens: number, onToken?: () => void): Promise<void>;
  /** Publishes to every chip what is no frame. */
  disturb(): void;
}

/** Starts the group on the bundled model, for the length of one test. */
export async function startLiveGroup(t: TestContext): Promise<LiveGroup> {
  const broker = new MemoryBroker();
  const chipMetrics = Array.from(
    { length: CHIPS },
    (_, rank) => new ChipMetrics({ group: '0', rank }),
  );
  const chips = chipMetrics.map((metrics, rank) => startChip(broker, metrics, rank));
  const listeners = new Set<(event: CoordinatorEvent) => void>();
  const coordinator = makeCoordinator(broker, (event) => {
    monitor.observe(event);
    for (const listener of listeners) listener(event);
  });
  const monitor = new EngineMonitor({
    ...PLACE,
    modelName: 'tinystories-5m',
    maxModelLen: MAX_MODEL_LEN,
    serving: SERVING,
    kvFormat: 'bf16',
    coordinator: coordinator.coordinator,
    chip: SOHU,
    baselines: new Map([['H100', makePricer()]]),
    brokerMonitoringUrls: [],
  });
  t.after(async () => {
    coordinator.close();
    await Promise.all(chips.map((chip) => chip.close()));
  });
  const until = (holds: (event: CoordinatorEvent) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const listener = (event: CoordinatorEvent): void => {
        if (!holds(event)) return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });
  const ready = until(({ kind }) => kind === 'ready');
  coordinator.start();
  for (const chip of chips) chip.start();
  await ready;
  return {
    coordinator,
    monitor,
    chips,
    chipMetrics,
    generate: async (promptTokens, maxTokens, onToken) => {
      let remaining = maxTokens;
      const drawn = until(({ kind }) => {
        if (kind !== 'token') return kind === 'stepCompleted' && remaining === 0;
        remaining--;
        onToken?.();
        return false;
      });
      const request = { promptTokens, maxTokens, ignoreEos: true };
      coordinator.coordinator.submit(makeGenerationRequest(request));
      await drawn;
    },
    disturb: () => {
      const subjects = new GroupSubjects(PLACE.cluster, PLACE.group);
      broker.connect().publish(subjects.transfer('all', 0), Uint8Array.of(0xff));
    },
  };
}

function startChip(broker: MemoryBroker, metrics: ChipMetrics, rank: number): ChipHost {
  const host = new ChipHost({
    ...PLACE,
    bus: broker.connect({ noEcho: true }),
    rank,
    threads: 1,
    metricsAddress: '',
    onStep: (times) => metrics.stepCompleted(times),
  });
  metrics.watch(host);
  return host;
}

function makeCoordinator(
  broker: MemoryBroker,
  onEvent: (event: CoordinatorEvent) => void,
): CoordinatorHost {
  return new CoordinatorHost({
    ...PLACE,
    bus: broker.connect(),
    spec: {
      ...LIMITS,
      model: join(BUNDLED_MODELS, 'tinystories-5m'),
      precision: 'fp8',
      kvCacheDtype: 'auto',
      tensorParallel: CHIPS,
      numGpuBlocksOverride: 16,
    },
    scheduler: makeSchedulerOptions({ ...LIMITS, maxModelLen: MAX_MODEL_LEN }),
    vocabSize: 2048,
    stepTimeoutMicros: 60e6,
    patienceMicros: 60e6,
    pricer: makePricer(),
    onEvent,
  });
}
