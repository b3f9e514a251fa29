import type { Registry } from 'prom-client';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import type { CountedStep } from '../telemetry/step-backlog.ts';
import { registerReadCounter } from './read-counter.ts';

/** One other chip. */
interface Baseline {
  readonly name: string;
  readonly pricer: StepPricer;
  seconds: number;
}

/** What the group's steps would have taken on other modelled chips, as many and with the same model. */
export class BaselineMetrics {
  readonly #baselines: readonly Baseline[];

  constructor(registry: Registry, baselines: ReadonlyMap<string, StepPricer>) {
    this.#baselines = [...baselines].map(([name, pricer]) => ({ name, pricer, seconds: 0 }));
    const counter = {
      name: 'sohu_baseline_device_seconds_total',
      help: 'Device time of the same steps on as many other chips under ideal software.',
      labelNames: ['baseline'],
    };
    registerReadCounter(registry, counter, (it) => {
      for (const { name, seconds } of this.#baselines) it.inc({ baseline: name }, seconds);
    });
  }

  completed({ shape }: CountedStep): void {
    if (shape === undefined) return;
    for (const baseline of this.#baselines) baseline.seconds += baseline.pricer.seconds(shape);
  }
}
