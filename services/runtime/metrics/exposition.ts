import { collectDefaultMetrics, Registry } from 'prom-client';

/** What Prometheus is told of a process's own memory, time and files. */
export function processRegistry(): Registry {
  const register = new Registry();
  // Looks at the event loop no more often than somebody would notice.
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 100 });
  return register;
}

/** Between the series of two names. */
const GAP = '\n\n';

/** The series of registries, of which no name is in two, whose names begin with a prefix. */
export async function expositionOf(registries: readonly Registry[], prefix = ''): Promise<string> {
  const families = registries.flatMap((registry) =>
    registry
      .getMetricsAsArray()
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => registry.getSingleMetricAsString(name)),
  );
  return `${(await Promise.all(families)).join(GAP)}\n`;
}

/** Puts what `expositionOf` gave in several processes together, so that each name stands in one place. */
export function mergeExpositions(texts: readonly string[]): string {
  const families = new Map<string, string[]>();
  for (const family of texts.flatMap((text) => text.trimEnd().split(GAP))) {
    const [help = '', type = '', ...series] = family.split('\n');
    const head = `${help}\n${type}`;
    const known = families.get(head);
    if (known === undefined) families.set(head, series);
    else known.push(...series);
  }
  return `${[...families].map(([head, series]) => [head, ...series].join('\n')).join(GAP)}\n`;
}
