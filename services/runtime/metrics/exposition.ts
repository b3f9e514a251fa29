import { collectDefaultMetrics, Registry } from 'prom-client';

/** What Prometheus is told of a process's own memory, time and files. */
export function processRegistry(): Registry {
  const register = new Registry();
  // Looks at the event loop no more often than somebody would notice.
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 100 });
  return register;
}

/** The series of registries, of which no name is in two, whose names begin with a prefix. */
export async function expositionOf(registries: readonly Registry[], prefix = ''): Promise<string> {
  const families = registries.flatMap((registry) =>
    registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => registry.getSingleMetricAsString(name)),
  );
  return `${(await Promise.all(families)).join('\n\n')}\n`;
}
