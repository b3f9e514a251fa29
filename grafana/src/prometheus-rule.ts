import { readdirSync, readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';

const HEAD =
  '# The rules of deploy/prometheus/rules for the Prometheus operator: `npm run build:grafana` writes them anew.\n';

/** The rules in a folder of Prometheus' own files, as the text of an object of the Prometheus operator. */
export function prometheusRuleText(directory: string): string {
  const groups = readdirSync(directory)
    .sort()
    .flatMap((name) => parse(readFileSync(`${directory}/${name}`, 'utf8')).groups);
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'sohu', labels: { 'app.kubernetes.io/name': 'sohu' } },
    spec: { groups },
  };
  return HEAD + stringify(object, { lineWidth: 0 });
}
