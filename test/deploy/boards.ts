import { makeDashboards } from '../../grafana/src/dashboards.ts';

/** A query of a panel, its variables filled in as Grafana would. */
export interface PanelQuery {
  readonly expression: string;
  readonly legend: string;
}

export interface BoardPanel {
  readonly board: string;
  readonly title: string;
  readonly type: string;
  readonly unit: string;
  /** In 24ths of the width, and in rows. */
  readonly place: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly queries: readonly PanelQuery[];
}

/** What Grafana would fill in with every variable at its default, and scrapes 5 s apart. */
const VALUES: readonly (readonly [RegExp, string])[] = [
  [/\$__rate_interval/g, '20s'],
  [/\$(?:model|engine|chip)\b/g, '.*'],
  [/\$ttft_slo/g, '0.5'],
  [/\$tpot_slo/g, '0.05'],
];

/** The panels of all dashboards, rows among them. */
export function boardPanels(): readonly BoardPanel[] {
  return [...makeDashboards()].flatMap(([board, { panels = [] }]) =>
    panels.map((panel) => {
      const { title = '', type, gridPos } = panel;
      const targets = 'targets' in panel ? (panel.targets ?? []) : [];
      const { unit = '' } = ('fieldConfig' in panel && panel.fieldConfig?.defaults) || {};
      const { x, y, w, h } = gridPos!;
      const queries = targets.map((target) => {
        const { expr, legendFormat } = target as unknown as Record<string, string>;
        return { expression: fillIn(expr!), legend: fillIn(legendFormat!) };
      });
      return { board, title, type, unit, place: { x, y, w, h }, queries };
    }),
  );
}

/** Replaces the variables of a dashboard. */
export function fillIn(text: string): string {
  return VALUES.reduce((filled, [variable, value]) => filled.replace(variable, value), text);
}
