import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** A query of a panel, with the time window that Grafana would fill in. */
export interface PanelQuery {
  readonly panel: string;
  readonly expression: string;
}

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly {
    readonly expr: string;
    readonly datasource: { readonly uid: string };
  }[];
}

/** Reads a dashboard of grafana/dashboards. */
export function readDashboard(name: string): Dashboard {
  return JSON.parse(readFileSync(resolve('grafana', 'dashboards', name), 'utf8')) as Dashboard;
}

/** The queries of all panels. */
export function queriesOf(dashboard: Dashboard, window: string): PanelQuery[] {
  return dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      panel: title,
      expression: expr.replaceAll('$__rate_interval', window),
    })),
  );
}
