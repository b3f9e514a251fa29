import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { chipsBoard } from './boards/chips.ts';
import { claimsBoard } from './boards/claims.ts';
import { clusterBoard } from './boards/cluster.ts';
import { fabricBoard } from './boards/fabric.ts';

/** Every dashboard, by the name of its file. */
export function makeDashboards(): ReadonlyMap<string, Dashboard> {
  return new Map([
    ['cluster.json', clusterBoard()],
    ['chips.json', chipsBoard()],
    ['fabric.json', fabricBoard()],
    ['claims.json', claimsBoard()],
  ]);
}

/** The text of a dashboard's file. */
export function dashboardText(dashboard: Dashboard): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
