import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardText, makeDashboards } from './dashboards.ts';
import { prometheusRuleText } from './prometheus-rule.ts';

// Compiled to dist/grafana/src.
const root = fileURLToPath(new URL('../../../', import.meta.url));
const directory = `${root}grafana/dashboards/`;
mkdirSync(directory, { recursive: true });
for (const [name, dashboard] of makeDashboards()) {
  writeFileSync(`${directory}${name}`, dashboardText(dashboard));
}
writeFileSync(
  `${root}deploy/kubernetes/overlays/monitoring/rules.yaml`,
  prometheusRuleText(`${root}deploy/prometheus/rules`),
);
