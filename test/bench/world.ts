/**
 * Measures simulated worlds on one core: the same seeds with arithmetic and without, and with
 * messages as they are and encoded.
 */
import { Command } from 'commander';
import { UNSHARED_WASM } from '../../services/kernels/wasm.ts';
import { wholeNumber } from '../../services/runtime/options/option-values.ts';
import { Laboratory } from '../../services/sim/world/laboratory.ts';
import { runScenario, type ScenarioOutcome } from '../../services/sim/world/run-scenario.ts';
import { drawScenario } from '../../services/sim/world/scenario.ts';
import { digits, printTable, type Row } from './table.ts';

const WARM_UP_SEEDS = 50;

function measure(
  seeds: number,
  kind: { readonly isExact: boolean; readonly isEncoded: boolean },
): Row {
  const laboratory = new Laboratory(UNSHARED_WASM);
  const run = (seed: number): ScenarioOutcome =>
    runScenario({ ...drawScenario(seed, 'liveness'), ...kind }, laboratory);
  for (let seed = 1; seed <= WARM_UP_SEEDS; seed++) run(seed);
  const began = performance.now();
  const outcomes = Array.from({ length: seeds }, (_, index) => run(index + 1));
  const hostSeconds = (performance.now() - began) / 1000;
  const events = outcomes.reduce((sum, outcome) => sum + outcome.events, 0);
  const virtualMicros = outcomes.reduce((sum, outcome) => sum + outcome.virtualMicros, 0);
  return {
    chips: kind.isExact ? 'compute' : 'stand in',
    messages: kind.isEncoded ? 'encoded' : 'as they are',
    'events/s': digits(events / hostSeconds, 3),
    'seeds/s': digits(seeds / hostSeconds, 3),
    'virtual s/s': digits(virtualMicros / 1e6 / hostSeconds, 3),
  };
}

const program = new Command()
  .option('--seeds <number>', 'how many seeds', wholeNumber(1), 500)
  .parse();
const { seeds } = program.opts<{ seeds: number }>();
printTable(
  [false, true].flatMap((isExact) =>
    [false, true].map((isEncoded) => measure(seeds, { isExact, isEncoded })),
  ),
);
