import { type Command, InvalidArgumentError as InvalidOptionError, Option } from 'commander';
import { UNSHARED_WASM } from '../../kernels/wasm.ts';
import { choice, wholeNumber } from '../../runtime/options/option-values.ts';
import { describeFault } from '../../sim/world/faults.ts';
import { Laboratory } from '../../sim/world/laboratory.ts';
import { findDifference, runScenario, type ScenarioOutcome } from '../../sim/world/run-scenario.ts';
import {
  describeScenario,
  drawScenario,
  type Scenario,
  WORLD_MODES,
  type WorldMode,
} from '../../sim/world/scenario.ts';
import { keepOf, shrinkScenario } from '../../sim/world/shrink-scenario.ts';
import { EXIT_CODES } from '../terminal/errors.ts';
import { Progress } from '../terminal/progress.ts';
import { runSwarm } from './swarm-pool.ts';
import type { SwarmViolation } from './swarm-worker.ts';

const EXAMPLES = `Examples:
  sohu swarm --seeds 1000                             a thousand worlds in both modes, on all cores
  sohu swarm --seed 31 --seeds 1 --mode liveness      one world, and all that its seed decided
  sohu swarm --seed 31 --seeds 1 --mode liveness --faults 0,3
  sohu swarm --seeds 100 --json
`;
const MODES = [...WORLD_MODES, 'both'] as const;
/** A violation is shrunk and explained; more of them are listed. */
const MAX_EXPLAINED = 3;
const SEEDS_PER_NOTE = 1000;

interface SwarmOptions {
  readonly seeds: number;
  readonly seed: number;
  readonly mode: (typeof MODES)[number];
  readonly faults: readonly number[] | undefined;
  readonly requests: readonly number[] | undefined;
  readonly json: true | undefined;
}

/** Adds `sohu swarm`: a cluster's own code in simulated worlds of faults. */
export function addSwarmCommand(program: Command): void {
  program
    .command('swarm')
    .description('Run the cluster’s own code in simulated worlds, under faults drawn from seeds.')
    .addHelpText('before', EXAMPLES)
    .option('--seeds <number>', 'how many seeds', wholeNumber(1), 1000)
    .option('--seed <number>', 'the first seed', wholeNumber(0), 1)
    .addOption(
      choice(
        '--mode <mode>',
        'whether faults go on, or stop and everything must finish',
        MODES,
        'both',
      ),
    )
    .option('--faults <indices>', 'with one seed: only these of its faults', indices)
    .option('--requests <indices>', 'with one seed: only these of its requests', indices)
    .addOption(
      new Option('--json', 'print one JSON object; violations are listed and not shrunk').conflicts(
        ['faults', 'requests'],
      ),
    )
    .action(swarm);
}

async function swarm(options: SwarmOptions): Promise<void> {
  const modes = WORLD_MODES.filter((mode) => options.mode === 'both' || options.mode === mode);
  const replays = options.seeds === 1 && !options.json;
  const violations = replays ? replay(options, modes) : await search(options, modes);
  if (violations > 0) process.exitCode = EXIT_CODES.failed;
}

/** Runs many seeds; returns how many worlds did not hold. */
async function search(options: SwarmOptions, modes: readonly WorldMode[]): Promise<number> {
  const progress = new Progress();
  const began = performance.now();
  let noted = 0;
  const summary = await runSwarm({
    first: options.seed,
    count: options.seeds,
    modes,
    onProgress: (done) => {
      if (Math.floor(done / SEEDS_PER_NOTE) <= noted && done < options.seeds) return;
      noted = Math.floor(done / SEEDS_PER_NOTE);
      progress.note(`${done} of ${options.seeds} seeds in ${seconds(began)} s.`);
    },
  });
  const { violations, events, transcript } = summary;
  progress.note(`${events} events.`);
  if (options.json) {
    const { seed, seeds } = options;
    print(JSON.stringify({ seed, seeds, modes, events, transcript, violations }));
    return violations.length;
  }
  violations.slice(0, MAX_EXPLAINED).map(explain);
  violations.slice(MAX_EXPLAINED).map(({ seed, mode, message }) => {
    return print(`seed ${seed} (${mode}): ${message}`);
  });
  print(closingLine(options.seeds, violations.length, transcript));
  return violations.length;
}

/** Runs one seed and says what it decides; returns how many of its worlds did not hold. */
function replay(options: SwarmOptions, modes: readonly WorldMode[]): number {
  const laboratory = new Laboratory(UNSHARED_WASM);
  const { faults, requests } = options;
  const kept = { ...(faults && { faults }), ...(requests && { requests }) };
  const outcomes = modes.map((mode): ScenarioOutcome => {
    const scenario = keepOf(drawScenario(options.seed, mode), kept);
    const outcome = runScenario(scenario, laboratory);
    printScenario(scenario);
    const { events, virtualMicros, violation } = outcome;
    print(`${events} events in ${virtualMicros / 1000} ms of virtual time`);
    if (violation !== undefined) print(violation);
    return outcome;
  });
  const count = outcomes.filter(({ violation }) => violation !== undefined).length;
  print(closingLine(1, count, outcomes.map(({ transcript }) => transcript).join('-')));
  return count;
}

/** Shrinks what did not hold, and says how to see it again. */
function explain({ seed, mode, message }: SwarmViolation): void {
  const laboratory = new Laboratory(UNSHARED_WASM);
  const scenario = drawScenario(seed, mode);
  const invariant = message.split(':')[0]!;
  const shrunk = shrinkScenario(scenario, (smaller) => {
    const outcome = runScenario(smaller, laboratory);
    const violation = outcome.violation ?? findDifference(smaller, laboratory, outcome);
    return violation?.startsWith(invariant) ?? false;
  });
  print(`seed ${seed} (${mode}): ${message}`);
  printScenario(shrunk);
  const places = <T>(all: readonly T[], kept: readonly T[]): string =>
    kept.map((item) => all.indexOf(item)).join(',');
  const faults = places(scenario.faults, shrunk.faults);
  const requests = places(scenario.requests, shrunk.requests);
  print(
    `replay: npx sohu swarm --seed ${seed} --seeds 1 --mode ${mode} --faults "${faults}" --requests "${requests}"`,
  );
}

function printScenario(scenario: Scenario): void {
  for (const line of describeScenario(scenario)) print(line);
  for (const fault of scenario.faults) print(`  ${describeFault(fault)}`);
}

function closingLine(seeds: number, violations: number, transcript: string): string {
  return `${seeds} seeds, ${violations} violations, transcript ${transcript}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

function indices(text: string): readonly number[] {
  if (text === '') return [];
  if (/^\d+(?:,\d+)*$/.test(text)) return text.split(',').map(Number);
  throw new InvalidOptionError('It must be whole numbers with commas between.');
}
