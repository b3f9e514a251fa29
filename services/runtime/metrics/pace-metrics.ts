import { Gauge, type Registry } from 'prom-client';
import type { Coordinator } from '../../cluster/coordinator.ts';
import { type Pace, realTimeFactor } from '../../cluster/pacer.ts';
import { registerReadCounter } from './read-counter.ts';

const MICROS_PER_SECOND = 1e6;

/** Registers the series on device time and the pace that this computer holds. */
export function registerPaceMetrics(registry: Registry, coordinator: Coordinator): void {
  const pace = (): Pace | undefined => coordinator.clock?.pace;
  const counter = (name: string, help: string, of: (pace: Pace) => number): void => {
    registerReadCounter(registry, { name, help }, (it) => {
      const now = pace();
      if (now !== undefined) it.inc(of(now) / MICROS_PER_SECOND);
    });
  };
  counter(
    'sohu_device_seconds_total',
    'Device time of all complete steps.',
    ({ deviceMicros }) => deviceMicros,
  );
  counter(
    'sohu_busy_seconds_total',
    'Host time in which the group had something to do.',
    ({ busyMicros }) => busyMicros,
  );
  const gauge = (name: string, help: string, of: (pace: Pace) => number | undefined): void => {
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        const now = pace();
        const value = now && of(now);
        if (value !== undefined) this.set(value);
      },
    });
  };
  gauge(
    'sohu_device_lag_seconds',
    'How far the last step was behind its deadline; 0 where nothing is paced.',
    ({ lagMicros }) => lagMicros / MICROS_PER_SECOND,
  );
  gauge(
    'sohu_real_time_factor',
    'Device time over what the host’s busy time should hold; 1 is on time.',
    realTimeFactor,
  );
}
