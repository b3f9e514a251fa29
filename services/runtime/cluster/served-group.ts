import { basename } from 'node:path';
import { openCheckpoint } from '../../checkpoint/open-checkpoint.ts';
import { openPhantomModel } from '../../checkpoint/phantom-model.ts';
import { resolveModel } from '../../checkpoint/resolve-model.ts';
import { openTokenizer } from '../../checkpoint/tokenizer-file.ts';
import type { GroupSpec } from '../../cluster/messages.ts';
import type { Chip } from '../../core/hardware/chip.ts';
import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { SOHU } from '../../core/hardware/chips/sohu.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import { countKvBlocks } from '../../core/model/memory.ts';
import { type KvFormat, resolveKvFormat } from '../../core/model/precision.ts';
import { planShard } from '../../core/model/shard-plan.ts';
import type { Tokenizer } from '../../core/text/tokenizer.ts';
import { planKvBlocks } from '../../core/timing/kv-blocks.ts';
import { makePricer } from '../../core/timing/load-price.ts';
import { defaultSoftware } from '../../core/timing/software-version.ts';
import type { StepPricer } from '../../core/timing/step-pricer.ts';
import { makeDevicePricer } from '../coordinator/device-pricer.ts';
import { schedulerOptions } from '../coordinator/scheduler-options.ts';
import type { PhantomSettings, ResolvedServing } from '../options/resolve-serving.ts';
import { packagePath } from '../package-info.ts';
import { cataloguePath } from '../phantom/catalogue-path.ts';
import { placePhantom } from '../phantom/place-phantom.ts';

/** What is set beside Sohu: the accelerators that its claim was made against, and what followed. */
const BASELINES = ['H100', 'H200', 'B200'];

/** What a group serves, as far as files and options say it, before any chip has loaded. */
export interface ServedGroup {
  readonly modelName: string;
  readonly config: Pick<ModelConfig, 'vocabSize' | 'maxPositions' | 'stopTokenIds'>;
  readonly tokenizer: Tokenizer;
  readonly spec: GroupSpec;
  /** Of the keys and values that are cached, or modelled. */
  readonly kvFormat: KvFormat;
  readonly pricer: StepPricer;
  /** What prices the same steps on other chips, by their names. */
  readonly baselines: ReadonlyMap<string, StepPricer>;
  /** The modelled chip. */
  readonly chip: Chip;
}

/**
 * Reads what a group is to serve. Throws a ModelError or an InvalidArgumentError that says why it cannot
 * be served; no weights are read.
 */
export function openServedGroup(options: ResolvedServing): ServedGroup {
  const { phantom } = options;
  const group = phantom === undefined ? openExact(options) : openPhantom(options, phantom);
  schedulerOptions(options, group.config);
  return group;
}

function openExact(options: ResolvedServing): ServedGroup {
  const model = resolveModel(options.model, packagePath('models'));
  const checkpoint = openCheckpoint(model);
  checkpoint.close();
  const { config } = checkpoint;
  for (let rank = 0; rank < options.tp; rank++) {
    countKvBlocks(planShard(config, options.tp, rank), options, SOHU);
  }
  const modelName = basename(model);
  const priced = { ...options, config, modelName };
  return {
    ...{ modelName, config },
    tokenizer: openTokenizer({ file: options.tokenizer, modelPath: model, config }),
    spec: { ...specOf(options), model },
    kvFormat: resolveKvFormat(options.kvCacheDtype, options.precision),
    pricer: makeDevicePricer(priced),
    baselines: pricersOfBaselines((name) => makeDevicePricer(priced, findChip(name))),
    chip: SOHU,
  };
}

function openPhantom(options: ResolvedServing, settings: PhantomSettings): ServedGroup {
  const { chip, software, lengths } = settings;
  const catalogue = cataloguePath();
  const found = openPhantomModel(options.model, { catalogue, tokenizer: options.tokenizer });
  const { architecture, config, tokenizer, drawn } = found;
  const { stopTokenIds } = config;
  const spec = {
    ...specOf(options),
    model: found.file ?? options.model,
    phantom: { chip, software, tokens: { drawn, stopTokenIds, lengths } },
  };
  const placed = placePhantom(architecture, { ...spec, ...spec.phantom });
  planKvBlocks(placed, options);
  return {
    ...{ modelName: architecture.name, config, tokenizer, spec },
    kvFormat: placed.precision.kv,
    pricer: makePricer(placed, 'middle'),
    baselines: pricersOfBaselines((name) => {
      const elsewhere = { chip: name, software: defaultSoftware(false).name };
      return makePricer(placePhantom(architecture, { ...spec, ...elsewhere }), 'middle');
    }),
    chip: findChip(chip),
  };
}

function pricersOfBaselines(
  pricerOf: (chip: string) => StepPricer,
): ReadonlyMap<string, StepPricer> {
  return new Map(BASELINES.map((name) => [name, pricerOf(name)]));
}

function specOf(options: ResolvedServing): Omit<GroupSpec, 'model' | 'phantom'> {
  const { precision, kvCacheDtype, tp, blockSize, numGpuBlocksOverride } = options;
  const { maxNumBatchedTokens, maxNumSeqs } = options;
  return {
    ...{ precision, kvCacheDtype, tensorParallel: tp, blockSize },
    ...{ numGpuBlocksOverride, maxNumBatchedTokens, maxNumSeqs },
  };
}
