import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';

/** The data source that the variable `datasource` names. */
export const DATASOURCE = { type: 'prometheus', uid: '${' + 'datasource}' };

/** What the provisioned data source is called. */
const PROVISIONED_UID = 'sohu-prometheus';

/** Selects series of an engine: those of vLLM's names and the group's own. */
export const ENGINE = '{model_name=~"$model",engine=~"$engine"}';
/** Selects series of chips' own processes. */
export const CHIP = '{group=~"$engine",chip=~"$chip"}';
/** Selects what a group says of its chips. */
export const GROUP_CHIP = '{model_name=~"$model",engine=~"$engine",chip=~"$chip"}';

/** A selector with one label more. */
export function where(selector: string, label: string): string {
  return `${selector.slice(0, -1)},${label}}`;
}

export function datasourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder('datasource')
    .label('Data source')
    .type('prometheus')
    .current({ text: 'Prometheus', value: PROVISIONED_UID });
}

/** Values of a label; all of them by default. */
function labelVariable(
  name: string,
  { title, query }: { readonly title: string; readonly query: string },
): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(title)
    .datasource(DATASOURCE)
    .query({ query, refId: 'variable' })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

export function engineVariables(): QueryVariableBuilder[] {
  return [
    labelVariable('model', { title: 'Model', query: 'label_values(sohu_epoch, model_name)' }),
    labelVariable('engine', { title: 'Engine', query: 'label_values(sohu_epoch, engine)' }),
  ];
}

export function chipVariable(): QueryVariableBuilder {
  const query = 'label_values(sohu_chip_ready{engine=~"$engine"}, chip)';
  return labelVariable('chip', { title: 'Chip', query });
}

/** A goal in seconds that is the bound of a bucket, so that its share is exact. */
export function goalVariable(
  name: string,
  { title, bounds, goal }: { title: string; bounds: readonly string[]; goal: string },
): CustomVariableBuilder {
  return new CustomVariableBuilder(name)
    .label(title)
    .values(bounds.join(','))
    .options(bounds.map((bound) => ({ text: bound, value: bound, selected: bound === goal })))
    .current({ text: goal, value: goal });
}
