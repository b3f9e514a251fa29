import { resolve } from 'node:path';
import type { Command } from 'commander';
import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { findModel } from '../../runtime/cluster/check-servable.ts';
import { SERVING_FIELDS } from '../../runtime/options/serving-options.ts';
import type { WantedCluster } from '../../runtime/state/cluster-records.ts';
import type { ClusterOptions } from './cluster-options.ts';

/** What the user asked for by name; anything will do for the rest. */
export function wantedCluster(options: ClusterOptions, command: Command): WantedCluster {
  const given = [...SERVING_FIELDS, 'cluster' as const]
    .filter((name) => command.getOptionValueSource(name) === 'cli')
    .map((name) => [name, options[name]]);
  const { model, tokenizer, chip, ...others } = Object.fromEntries(given) as WantedCluster;
  return {
    ...others,
    ...(model !== undefined && { model: findModel(model, options.weights) }),
    ...(chip !== undefined && { chip: findChip(chip).name }),
    ...(tokenizer !== undefined && { tokenizer: resolve(tokenizer) }),
  };
}
