import type { Registry } from 'prom-client';
import type { StepCompleted } from '../../cluster/coordinator-effects.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import type { StepShape } from '../../core/timing/step-shape.ts';
import { registerReadCounter } from './read-counter.ts';

/** Steps that may wait for their prices. */
const MAX_WAITING = 256;

/**
 * What the group's steps would have taken on other modelled chips, as many and with the same model. Steps
 * are priced many at a time: once every few milliseconds, the same takes ten times as long.
 */
export class BaselineMetrics {
  readonly #baselines: readonly {
    readonly pricer: StepPricer;
    readonly name: string;
    seconds: number;
  }[];
  #waiting: StepShape[] = [];

  constructor(registry: Registry, baselines: ReadonlyMap<string, StepPricer>) {
    this.#baselines = [...baselines].map(([name, pricer]) => ({ name, pricer, seconds: 0 }));
    const counter = {
      name: 'sohu_baseline_device_seconds_total',
      help: 'Device time of the same steps on as many other chips under ideal software.',
      labelNames: ['baseline'],
    };
    registerReadCounter(registry, counter, (it) => {
      this.#price();
      for (const { name, seconds } of this.#baselines) it.inc({ baseline: name }, seconds);
    });
  }

  completed({ shape }: StepCompleted): void {
    if (shape === undefined || this.#baselines.length === 0) return;
    this.#waiting.push(shape);
    if (this.#waiting.length === MAX_WAITING) this.#price();
  }

  #price(): void {
    const shapes = this.#waiting;
    this.#waiting = [];
    for (const baseline of this.#baselines) {
      for (const shape of shapes) baseline.seconds += baseline.pricer.seconds(shape);
    }
  }
}
