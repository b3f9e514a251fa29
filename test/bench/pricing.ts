import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import { renderTable } from '../../services/cli/table.ts';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { assert } from '../../services/core/support/errors.ts';
import { makePricer } from '../../services/core/timing/load-price.ts';
import { findSoftwareVersion } from '../../services/core/timing/software-version.ts';
import { packagePath } from '../../services/runtime/package-info.ts';

const STEPS = 200_000;

/** Priced steps per second on one core: `npm run bench:pricing`. */
const rows = ['llama-3-70b', 'mixtral-8x22b', 'deepseek-v3'].map((model) => {
  const pricer = makePricer(
    {
      architecture: findArchitecture(model, packagePath('models/catalogue')),
      chip: findChip('H100'),
      layout: { tp: 8, pp: 1, ep: 1, dp: 1 },
      precision: { weights: 'fp8', kv: 'fp8' },
      software: findSoftwareVersion('trtllm-0.15.0'),
      maxNumBatchedTokens: 2048,
      maxNumSeqs: 2048,
    },
    'middle',
  );
  const shape = (step: number) => ({
    prefillSequences: 1,
    prefillTokens: 1000 + (step % 1000),
    prefillPairs: 1e6 + step,
    prefillCachedTokens: step % 5000,
    decodeSequences: step % 256,
    decodeContextTokens: 2000 * (step % 256),
    sampledRows: 1 + (step % 256),
  });
  const time = (of: (step: number) => number): string => {
    let sum = 0;
    for (let step = 0; step < STEPS / 10; step++) sum += of(step);
    const start = performance.now();
    for (let step = 0; step < STEPS; step++) sum += of(step);
    assert(sum > 0, 'steps take time');
    return Math.round((1000 * STEPS) / (performance.now() - start)).toLocaleString('en-US');
  };
  return [
    model,
    time((step) => pricer.seconds(shape(step))),
    time((step) => pricer.price(shape(step)).seconds),
  ];
});
const head = ['Model', 'seconds() a second', 'price() a second'];
process.stdout.write(`${renderTable(head, rows, { stream: process.stdout, textColumns: 1 })}\n`);
