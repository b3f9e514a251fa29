import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Coordinator } from '../../cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { ChipCounters } from '../../cluster/messages.ts';
import { DEVICE_STEP_BUCKETS_SECONDS, STEP_BUCKETS_SECONDS } from './buckets.ts';

/** The series of a coordinator process: its group as a whole. */
export class CoordinatorMetrics {
  readonly registry = new Registry();
  readonly #tokens: Counter;
  readonly #generatedTokens: Counter;
  readonly #stepSeconds: Histogram;
  readonly #deviceSeconds: Histogram;
  readonly #steps: Counter;
  #coordinator: Coordinator | undefined;

  constructor() {
    const registers = [this.registry];
    this.#tokens = new Counter({
      name: 'sohu_tokens_total',
      help: 'Tokens whose rows the group computed, prompt and generated.',
      registers,
    });
    this.#generatedTokens = new Counter({
      name: 'sohu_generated_tokens_total',
      help: 'Tokens drawn and delivered.',
      registers,
    });
    this.#steps = new Counter({
      name: 'sohu_steps_total',
      help: 'Steps completed by the group.',
      registers,
    });
    this.#stepSeconds = new Histogram({
      name: 'sohu_step_duration_seconds',
      help: 'Host time from a step command to the last report on it.',
      buckets: STEP_BUCKETS_SECONDS,
      registers,
    });
    this.#deviceSeconds = new Histogram({
      name: 'sohu_step_device_seconds',
      help: 'Device time of a step: what the modelled chips would have taken.',
      buckets: DEVICE_STEP_BUCKETS_SECONDS,
      registers,
    });
    this.#collectiveBytes();
    this.#requests();
    this.#hbm();
  }

  /** Names the coordinator whose group the series show. */
  watch(coordinator: Coordinator): void {
    this.#coordinator = coordinator;
  }

  /** Takes what happened in the group. */
  observe(event: CoordinatorEvent): void {
    if (event.kind === 'token') this.#generatedTokens.inc();
    if (event.kind !== 'stepCompleted') return;
    this.#steps.inc();
    this.#tokens.inc(event.tokens);
    this.#stepSeconds.observe(event.durationMicros / 1e6);
    const { deviceMicros } = event;
    if (deviceMicros !== undefined) this.#deviceSeconds.observe(deviceMicros / 1e6);
  }

  #chipCounters(): ChipCounters[] {
    const members = this.#coordinator?.members ?? [];
    return members.flatMap(({ rank }) => this.#coordinator?.countersOf(rank) ?? []);
  }

  #collectiveBytes(): void {
    const counters = (): ChipCounters[] => this.#chipCounters();
    new Counter({
      name: 'sohu_collective_bytes_total',
      help: 'Bytes of frames that the chips of the group exchanged.',
      labelNames: ['direction'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { bytesSent, bytesReceived } of counters()) {
          this.inc({ direction: 'sent' }, bytesSent);
          this.inc({ direction: 'received' }, bytesReceived);
        }
      },
    });
  }

  #requests(): void {
    const coordinator = (): Coordinator | undefined => this.#coordinator;
    new Gauge({
      name: 'sohu_requests',
      help: 'Requests in the scheduler, by state.',
      labelNames: ['state'],
      registers: [this.registry],
      collect() {
        const scheduler = coordinator()?.scheduler;
        this.set({ state: 'waiting' }, scheduler?.waitingCount ?? 0);
        this.set({ state: 'running' }, scheduler?.runningCount ?? 0);
      },
    });
  }

  #hbm(): void {
    const coordinator = (): Coordinator | undefined => this.#coordinator;
    new Gauge({
      name: 'sohu_hbm_bytes',
      help: 'Modelled HBM in use over all chips of the group.',
      labelNames: ['use'],
      registers: [this.registry],
      collect() {
        const current = coordinator();
        const ready = current?.members.flatMap((member) => member.ready ?? []) ?? [];
        const usedBlocks = current?.scheduler?.usedBlocks ?? 0;
        const sum = (pick: (chip: (typeof ready)[number]) => number): number =>
          ready.reduce((total, chip) => total + pick(chip), 0);
        this.set(
          { use: 'weights' },
          sum((chip) => chip.weightBytes),
        );
        this.set(
          { use: 'activations' },
          sum((chip) => chip.activationBytes),
        );
        this.set({ use: 'kv' }, sum((chip) => chip.kvBytesPerBlock) * usedBlocks);
      },
    });
  }
}
