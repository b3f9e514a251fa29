import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import { renderTable } from '../../services/cli/terminal/table.ts';
import { DeviceClock } from '../../services/cluster/device-clock.ts';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { assert } from '../../services/core/support/errors.ts';
import { makePricer } from '../../services/core/timing/load-price.ts';
import { findSoftwareVersion } from '../../services/core/timing/software-version.ts';
import { makeDevicePricer } from '../../services/runtime/coordinator/device-pricer.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { makeConfig } from '../core/model-configs.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import { makeSequence, scheduleTokens } from '../support/scheduled-sequence.ts';

const STEPS = 200_000;

/** Priced steps a second on one core, and what a live clock takes of a step: `npm run bench:pricing`. */
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

/** Nanoseconds that a device clock takes for a step of so many decoding sequences, each of which gets a token. */
function clockNanoseconds(sequences: number): number {
  const clock = new DeviceClock(
    makeDevicePricer({
      config: makeConfig({}),
      modelName: 'bench',
      tp: 2,
      precision: 'fp8',
      kvCacheDtype: 'auto',
      maxNumBatchedTokens: 2048,
      maxNumSeqs: sequences,
    }),
  );
  const request = makeGenerationRequest({ promptTokens: Array.from({ length: 512 }, () => 1) });
  const scheduled = Array.from({ length: sequences }, (_, id) => {
    const sequence = makeSequence({ request, generated: [1], id });
    clock.arrive(sequence, 0);
    return scheduleTokens(sequence, { start: 512, end: 513, admitted: false });
  });
  const step = { sequences: scheduled, released: [] };
  const rounds = Math.ceil(2_000_000 / sequences);
  let startMs = 0;
  for (let round = -rounds; round < rounds; round++) {
    if (round === 0) startMs = performance.now();
    clock.begin(step, round);
    clock.complete(round);
    for (const { sequence } of scheduled) clock.draw(sequence);
  }
  return ((performance.now() - startMs) * 1e6) / rounds;
}

const clockRows = [1, 16, 64, 256, 1024].map((sequences) => {
  const nanoseconds = clockNanoseconds(sequences);
  return [String(sequences), nanoseconds.toFixed(0), (nanoseconds / sequences).toFixed(1)];
});
const clockHead = ['Decoding sequences', 'ns of the device clock a step', 'ns a sequence'];
process.stdout.write(
  `${renderTable(clockHead, clockRows, { stream: process.stdout, textColumns: 0 })}\n`,
);
