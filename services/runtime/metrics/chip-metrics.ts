import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { StepTimes } from '../../cluster/chip-meter.ts';
import { DROP_REASONS } from '../../cluster/exchange-runner.ts';
import { STEP_FAULTS } from '../../cluster/step-check.ts';
import type { ChipHost } from '../chip/chip-host.ts';
import { STEP_BUCKETS_SECONDS } from './buckets.ts';

/** The series of one chip process. Counters are read from the chip when Prometheus asks. */
export class ChipMetrics {
  readonly registry = new Registry();
  readonly #stepSeconds: Histogram;
  readonly #tokens: Counter;
  #host: ChipHost | undefined;

  constructor(identity: { readonly group: string; readonly rank: number }) {
    const registers = [this.registry];
    this.registry.setDefaultLabels({ group: identity.group, chip: String(identity.rank) });
    this.#tokens = new Counter({
      name: 'sohu_chip_tokens_total',
      help: 'Tokens whose rows the chip computed, prompt and generated.',
      registers,
    });
    this.#stepSeconds = new Histogram({
      name: 'sohu_chip_step_duration_seconds',
      help: 'Host time of a step on the chip, by part.',
      labelNames: ['part'],
      buckets: STEP_BUCKETS_SECONDS,
      registers,
    });
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
  }

  /** Names the chip whose state the series show. */
  watch(host: ChipHost): void {
    this.#host = host;
  }

  /** Records a step that is complete. */
  stepCompleted(step: StepTimes): void {
    this.#tokens.inc(step.tokens);
    this.#stepSeconds.observe({ part: 'compute' }, step.computeMicros / 1e6);
    this.#stepSeconds.observe({ part: 'communication' }, step.communicationMicros / 1e6);
  }

  #counter(
    name: string,
    help: string,
    labelNames: string[],
    read: (counter: Counter, host: ChipHost) => void,
  ): void {
    const host = (): ChipHost | undefined => this.#host;
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        const current = host();
        this.reset();
        if (current !== undefined) read(this, current);
      },
    });
  }

  #hbm(): void {
    const host = (): ChipHost | undefined => this.#host;
    new Gauge({
      name: 'sohu_chip_hbm_bytes',
      help: 'Modelled HBM by use; kv_reserved is all blocks, used or not.',
      labelNames: ['use'],
      registers: [this.registry],
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
