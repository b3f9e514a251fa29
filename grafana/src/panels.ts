import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphDrawStyle,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { DATASOURCE } from './variables.ts';

/** An expression, and how its series are called. */
export type Query = readonly [expression: string, legend: string];

/** Above a value, a colour. */
export type Level = readonly [from: number, color: 'green' | 'orange' | 'red'];

export interface PanelOptions {
  readonly title: string;
  /** What the panel tells, and what it does not. */
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly levels?: readonly Level[];
  readonly max?: number;
  /** Width in 24ths of the board; a third for a chart and an eighth for a tile where absent. */
  readonly span?: number;
}

export interface ChartOptions extends PanelOptions {
  readonly stacked?: true;
}

const CHART_HEIGHT = 8;
const CHART_SPAN = 8;
const TILE_HEIGHT = 4;
const TILE_SPAN = 3;
const NO_LEVELS: readonly Level[] = [[0, 'green']];

/** Lines over time. */
export function chart(options: ChartOptions): TimeSeriesBuilder {
  const { title, description, unit, queries, levels, max, span = CHART_SPAN, stacked } = options;
  const panel = new TimeSeriesBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .targets(queries.map(toTarget))
    .unit(unit)
    .min(0)
    .height(CHART_HEIGHT)
    .span(span)
    .drawStyle(GraphDrawStyle.Line)
    .lineWidth(1)
    .fillOpacity(stacked ? 30 : 8)
    .gradientMode(GraphGradientMode.Opacity)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(
      new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending),
    );
  if (stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (levels !== undefined) panel.thresholds(thresholds(levels));
  if (max !== undefined) panel.max(max);
  return panel;
}

/** The last value, large. */
export function tile(options: PanelOptions): StatBuilder {
  const { title, description, unit, queries, levels = NO_LEVELS, max, span = TILE_SPAN } = options;
  const panel = new StatBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .targets(queries.map(toTarget))
    .unit(unit)
    .height(TILE_HEIGHT)
    .span(span)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .thresholds(thresholds(levels));
  if (max !== undefined) panel.max(max);
  return panel;
}

function toTarget([expression, legend]: Query, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .datasource(DATASOURCE)
    .expr(expression)
    .legendFormat(legend)
    .format(PromQueryFormat.TimeSeries)
    .range();
}

function thresholds(levels: readonly Level[]): ThresholdsConfigBuilder {
  const steps = levels.map(([from, color], index) => ({ value: index === 0 ? null : from, color }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
