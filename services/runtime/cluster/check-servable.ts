import { resolve } from 'node:path';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.ts';
import { resolveModel } from '../../checkpoint/resolve-model.ts';
import { openTokenizer } from '../../checkpoint/tokenizer-file.ts';
import { SOHU } from '../../core/hardware/chips/sohu.ts';
import { countKvBlocks } from '../../core/model/memory.ts';
import { planShard } from '../../core/model/shard-plan.ts';
import { schedulerOptions } from '../coordinator/scheduler-options.ts';
import { pickServing, type ServingOptions } from '../options/serving-options.ts';
import { packagePath } from '../package-info.ts';

/** The path of a model by its name or path; throws a ModelError where there is none. */
export function findModel(nameOrPath: string): string {
  return resolveModel(nameOrPath, packagePath('models'));
}

/**
 * Checks, without reading a weight, that a model can be served in this way, and makes its paths
 * absolute. Throws a ModelError or an InvalidArgumentError that says why not.
 */
export function checkServable(options: ServingOptions): ServingOptions {
  const model = findModel(options.model);
  const tokenizer = options.tokenizer && resolve(options.tokenizer);
  const checkpoint = openCheckpoint(model);
  checkpoint.close();
  const { config } = checkpoint;
  openTokenizer({ file: tokenizer, modelPath: model, config });
  schedulerOptions(options, config);
  for (let rank = 0; rank < options.tp; rank++) {
    countKvBlocks(planShard(config, options.tp, rank), options, SOHU);
  }
  return { ...pickServing(options), model, tokenizer };
}
