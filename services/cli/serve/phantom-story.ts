import { findArchitecture } from '../../checkpoint/model-catalogue.ts';
import { type PlacedModel, planLoad } from '../../core/timing/load-price.ts';
import type { RunningCluster } from '../../runtime/cluster/launch.ts';
import type { ResolvedServing } from '../../runtime/options/resolve-serving.ts';
import { cataloguePath } from '../../runtime/phantom/catalogue-path.ts';
import { placePhantom } from '../../runtime/phantom/place-phantom.ts';
import { caveats } from '../models/price-parts.ts';
import { formatBytes } from '../terminal/format.ts';

/** The model and chips that a phantom cluster stands for. */
export function placedPhantom(serving: ResolvedServing): PlacedModel {
  const architecture = findArchitecture(serving.model, cataloguePath());
  return placePhantom(architecture, {
    ...serving,
    ...serving.phantom!,
    tensorParallel: serving.tp,
  });
}

/** What a phantom cluster stands for, and what its figures rest on. */
export function phantomStory({ serving, kvBlocks }: RunningCluster): string {
  const placed = placedPhantom(serving);
  const { architecture, chip, layout, software, precision } = placed;
  const { weightBytes, memoryBytes } = planLoad(placed);
  const { speed, lengths } = serving.phantom!;
  const { blockSize } = serving;
  const pace = speed === 0 ? 'as fast as this computer allows' : `at speed ${speed}`;
  const outputs =
    lengths.distribution === 'max'
      ? 'end where max_tokens or a stop says'
      : `have ${lengths.distribution} lengths of ${lengths.mean} tokens on the average, where nothing ends them before`;
  return [
    `Phantom  ${architecture.name} on ${layout.tp} × ${chip.name} (tp ${layout.tp}), ${precision.weights} weights, ${precision.kv} KV, ${software.name}; device time ${pace}`,
    `Memory   ${formatBytes(weightBytes)} of weights in ${formatBytes(memoryBytes)} a chip; ${kvBlocks} KV blocks hold ${kvBlocks * blockSize} tokens`,
    `Outputs  are made-up words; they ${outputs}`,
    ...caveats(placed),
  ].join('\n');
}
