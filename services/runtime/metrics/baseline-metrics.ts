import { Counter, type Registry } from 'prom-client';
import type { StepCompleted } from '../../cluster/coordinator-effects.ts';
import { shapeOfStep } from '../../core/timing/shape-of-step.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';

/** What the group's steps would have taken on other modelled chips, as many and with the same model. */
export class BaselineMetrics {
  readonly #baselines: readonly {
    readonly pricer: StepPricer;
    readonly seconds: Counter.Internal;
  }[];

  constructor(registry: Registry, baselines: ReadonlyMap<string, StepPricer>) {
    const seconds = new Counter({
      name: 'sohu_baseline_device_seconds_total',
      help: 'Device time of the same steps on as many other chips under ideal software.',
      labelNames: ['baseline'],
      registers: [registry],
    });
    this.#baselines = [...baselines].map(([baseline, pricer]) => ({
      pricer,
      seconds: seconds.labels({ baseline }),
    }));
  }

  completed({ parts }: StepCompleted): void {
    if (this.#baselines.length === 0) return;
    const shape = shapeOfStep(parts);
    for (const { pricer, seconds } of this.#baselines) seconds.inc(pricer.seconds(shape));
  }
}
