import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { findConfigFile } from '../../checkpoint/model-catalogue.ts';
import { listBundledModels, resolveModel } from '../../checkpoint/resolve-model.ts';
import { type ResolvedServing, resolveServing } from '../options/resolve-serving.ts';
import { pickServing, type ServingOptions } from '../options/serving-options.ts';
import { packagePath } from '../package-info.ts';
import { cataloguePath } from '../phantom/catalogue-path.ts';
import { openServedGroup } from './served-group.ts';

/**
 * The path of a model by its name or path: of a checkpoint, or of a file of sizes for phantoms, whose
 * parametric models have none and keep their names. Throws a ModelError or an InvalidArgumentError where
 * there is none.
 */
export function findModel(nameOrPath: string, weights: ServingOptions['weights']): string {
  const bundled = packagePath('models');
  if (weights === 'checkpoint') return resolveModel(nameOrPath, bundled);
  const isBundled = !existsSync(nameOrPath) && listBundledModels(bundled).includes(nameOrPath);
  const name = isBundled ? resolveModel(nameOrPath, bundled) : nameOrPath;
  return findConfigFile(name, cataloguePath()) ?? name;
}

/**
 * Checks, without reading a weight, that a model can be served in this way, makes its paths absolute, and
 * fills in what was left open. Throws a ModelError or an InvalidArgumentError that says why not.
 */
export function checkServable(options: ServingOptions): ResolvedServing {
  const model = findModel(options.model, options.weights);
  const tokenizer = options.tokenizer && resolve(options.tokenizer);
  const serving = resolveServing({ ...pickServing(options), model, tokenizer });
  openServedGroup(serving);
  return serving;
}
