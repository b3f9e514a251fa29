import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dashboardText, makeDashboards } from './dashboards.ts';

// Compiled to dist/grafana/src.
const directory = fileURLToPath(new URL('../../../grafana/dashboards/', import.meta.url));
mkdirSync(directory, { recursive: true });
for (const [name, dashboard] of makeDashboards()) {
  writeFileSync(`${directory}${name}`, dashboardText(dashboard));
}
