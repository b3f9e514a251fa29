import { Counter, type Registry } from 'prom-client';

export interface ReadCounterOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
}

/**
 * Registers a counter whose total is kept elsewhere and read when somebody asks: to count costs an addition.
 * `read` adds the totals of its series to the empty counter.
 */
export function registerReadCounter(
  registry: Registry,
  { name, help, labelNames = [] }: ReadCounterOptions,
  read: (counter: Counter) => void,
): void {
  new Counter({
    ...{ name, help, labelNames: [...labelNames], registers: [registry] },
    collect() {
      this.reset();
      read(this);
    },
  });
}

/** The same for a counter of one series, whose total is returned. */
export function registerTotal(
  registry: Registry,
  options: Pick<ReadCounterOptions, 'name' | 'help'>,
  total: () => number,
): void {
  registerReadCounter(registry, options, (counter) => counter.inc(total()));
}
