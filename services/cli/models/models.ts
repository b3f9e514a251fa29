import type { Command } from 'commander';
import { findArchitecture, listCatalogue } from '../../checkpoint/model-catalogue.ts';
import { type Architecture, layerCount } from '../../core/architecture/architecture.ts';
import { countParameters, kvElementsPerToken } from '../../core/architecture/parameters.ts';
import { packagePath } from '../../runtime/package-info.ts';
import { renderTable } from '../terminal/table.ts';
import { formatCount, formatQuantity } from './quantity.ts';

const EXAMPLES = `Examples:
  sohu models                        every model of the catalogue
  sohu models deepseek-v3            one model, with the source of its sizes
  sohu models moe-100t --json        a member of the parametric family (dense-…, moe-…)
  sohu models ./my-model             a config.json, or the folder of one
`;
const HEAD = ['Model', 'Parameters', 'Active', 'Layers', 'Hidden', 'KV per token, fp8', 'Context'];
const CATALOGUE = 'models/catalogue';

/** The architecture that a name or path stands for. */
export function findModel(name: string): Architecture {
  return findArchitecture(name, packagePath(CATALOGUE));
}

/** Adds `sohu models`, which shows the models whose device time can be priced. */
export function addModelsCommand(program: Command): void {
  program
    .command('models')
    .description('Show the models whose device time can be priced.')
    .argument('[name-or-path]', 'one model')
    .option('--json', 'print JSON')
    .addHelpText('before', EXAMPLES)
    .action(models);
}

function models(name: string | undefined, { json }: { readonly json?: true }): void {
  const names = name === undefined ? listCatalogue(packagePath(CATALOGUE)) : [name];
  const found = names.map(findModel).map(describeModel);
  const text = json
    ? JSON.stringify(name === undefined ? found : found[0])
    : [
        renderTable(HEAD, found.map(rowOf), { stream: process.stdout, textColumns: 1 }),
        ...(name === undefined ? [] : [`Source: ${found[0]!.source}`]),
      ].join('\n');
  process.stdout.write(`${text}\n`);
}

function describeModel(architecture: Architecture) {
  const { total, active } = countParameters(architecture);
  return {
    ...architecture,
    parameters: total,
    activeParameters: active,
    layers: layerCount(architecture),
    kvElementsPerToken: kvElementsPerToken(architecture),
  };
}

function rowOf(model: ReturnType<typeof describeModel>): string[] {
  return [
    model.name,
    formatCount(model.parameters),
    formatCount(model.activeParameters),
    String(model.layers),
    String(model.hiddenSize),
    model.kvElementsPerToken === 0 ? 'none' : `${formatQuantity(model.kvElementsPerToken)}B`,
    String(model.maxPositions),
  ];
}
