import { type Counter, Gauge, Registry } from 'prom-client';
import { DROP_REASONS } from '../../cluster/exchange-runner.ts';
import { STEP_FAULTS } from '../../cluster/step-check.ts';
import type { StepTimes } from '../../cluster/step-times.ts';
import type { ChipHost } from '../chip/chip-host.ts';
import { STEP_BUCKETS_SECONDS } from './buckets.ts';
import { type BucketCounts, CountedHistogram } from './counted-histogram.ts';
import { ExchangeMetrics } from './exchange-metrics.ts';
import { expositionOf, processRegistry } from './exposition.ts';
import { registerReadCounter, registerTotal } from './read-counter.ts';

/** The series of one chip process. Counters are read from the chip when Prometheus asks. */
export class ChipMetrics {
  readonly #registry = new Registry();
  readonly #process = processRegistry();
  readonly #exchanges: ExchangeMetrics;
  readonly #compute: BucketCounts;
  readonly #communication: BucketCounts;
  #tokens = 0;
  #host: ChipHost | undefined;

  constructor(identity: { readonly group: string; readonly rank: number }) {
    const registers = [this.#registry];
    this.#registry.setDefaultLabels({ group: identity.group, chip: String(identity.rank) });
    this.#exchanges = new ExchangeMetrics(this.#registry);
    registerTotal(
      this.#registry,
      {
        name: 'sohu_chip_tokens_total',
        help: 'Tokens whose rows the chip computed, prompt and generated.',
      },
      () => this.#tokens,
    );
    const stepSeconds = new CountedHistogram(this.#registry, {
      name: 'sohu_chip_step_duration_seconds',
      help: 'Host time of a step on the chip, by part.',
      bounds: STEP_BUCKETS_SECONDS,
    });
    this.#compute = stepSeconds.child({ part: 'compute' });
    this.#communication = stepSeconds.child({ part: 'communication' });
    this.#counter('sohu_chip_steps_total', 'Steps executed.', [], (counter, { chip }) => {
      counter.inc(chip.meter.counters.steps);
    });
    this.#counter(
      'sohu_chip_collective_bytes_total',
      'Bytes of frames exchanged with other chips.',
      ['direction'],
      (counter, { chip }) => {
        counter.inc({ direction: 'sent' }, chip.meter.counters.bytesSent);
        counter.inc({ direction: 'received' }, chip.meter.counters.bytesReceived);
      },
    );
    this.#counter(
      'sohu_chip_dropped_frames_total',
      'Frames that were not used, by reason.',
      ['reason'],
      (counter, { chip }) => {
        for (const reason of DROP_REASONS)
          counter.inc({ reason }, chip.meter.drops.get(reason) ?? 0);
      },
    );
    this.#counter(
      'sohu_chip_refused_steps_total',
      'Step commands that were not executed, by what was wrong with them.',
      ['reason'],
      (counter, { chip }) => {
        for (const reason of STEP_FAULTS)
          counter.inc({ reason }, chip.meter.refusals.get(reason) ?? 0);
      },
    );
    const host = (): ChipHost | undefined => this.#host;
    new Gauge({
      name: 'sohu_chip_hbm_capacity_bytes',
      help: 'Modelled HBM of the chip.',
      registers,
      collect() {
        this.set(host()?.loaded?.hbmBytes ?? 0);
      },
    });
    this.#hbm();
    this.#epoch();
  }

  /** What the process shows. */
  text(): Promise<string> {
    return expositionOf([this.#registry, this.#process]);
  }

  /** Names the chip whose state the series show. */
  watch(host: ChipHost): void {
    this.#host = host;
  }

  /** Records a step that is complete. */
  stepCompleted(step: StepTimes): void {
    this.#tokens += step.tokens;
    this.#compute.observe(step.computeMicros / 1e6);
    this.#communication.observe(step.communicationMicros / 1e6);
    for (const exchange of step.exchanges) this.#exchanges.observe(exchange);
  }

  #counter(
    name: string,
    help: string,
    labelNames: string[],
    read: (counter: Counter, host: ChipHost) => void,
  ): void {
    registerReadCounter(this.#registry, { name, help, labelNames }, (counter) => {
      if (this.#host !== undefined) read(counter, this.#host);
    });
  }

  #epoch(): void {
    const host = (): ChipHost | undefined => this.#host;
    new Gauge({
      name: 'sohu_chip_epoch',
      help: 'The last epoch of its group that the chip joined.',
      registers: [this.#registry],
      collect() {
        this.set(host()?.chip.epoch ?? 0);
      },
    });
  }

  #hbm(): void {
    const host = (): ChipHost | undefined => this.#host;
    new Gauge({
      name: 'sohu_chip_hbm_bytes',
      help: 'Modelled HBM by use; kv_reserved is all blocks, used or not.',
      labelNames: ['use'],
      registers: [this.#registry],
      collect() {
        const loaded = host()?.loaded;
        if (loaded === undefined) return;
        this.set({ use: 'weights' }, loaded.weightBytes);
        this.set({ use: 'activations' }, loaded.activationBytes);
        this.set({ use: 'kv_reserved' }, loaded.kvBlocks * loaded.kvBytesPerBlock);
      },
    });
  }
}
