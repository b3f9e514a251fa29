import type { Command } from 'commander';
import { findChip } from '../../core/hardware/chip-catalogue.ts';
import { wholeNumber } from '../../runtime/options/option-values.ts';
import { findVendorScenario } from '../../sim/vendor-scenarios/catalogue.ts';
import { addHtmlOption, type HtmlOptions, writeHtml } from '../terminal/html-output.ts';
import { pageOfScenario } from './scenario-page.ts';
import { workOut } from './scenario-rows.ts';
import { listObject, listOfScenarios, objectOfScenario, textOfScenario } from './scenario-text.ts';

const EXAMPLES = `Examples:
  sohu scenario                                  what Etched says its chip is for
  sohu scenario voice                            one of them, worked out
  sohu scenario video-generation --chips H100,MI300X --html video.html
`;
const SHOWN_CHIPS: readonly string[] = ['H100', 'B200', 'Sohu'];

interface ScenarioOptions extends HtmlOptions {
  readonly chips: readonly string[];
  readonly seed: number;
  readonly json?: true;
}

/** Adds `sohu scenario`, which works out what a chip's vendor says it is for. */
export function addScenarioCommand(program: Command): void {
  addHtmlOption(
    program
      .command('scenario')
      .description('Work out what Etched says its chip is for: latency and cost on modelled chips.')
      .argument('[name]', 'one of the scenarios; all are listed without it')
      .option('--chips <names>', 'chips to show, with commas between', chipNames, SHOWN_CHIPS)
      .option('--seed <number>', 'of arrivals and lengths', wholeNumber(0), 0)
      .option('--json', 'print JSON')
      .addHelpText('before', EXAMPLES),
  ).action(scenario);
}

async function scenario(name: string | undefined, options: ScenarioOptions): Promise<void> {
  if (name === undefined) {
    process.stdout.write(`${options.json ? JSON.stringify(listObject()) : listOfScenarios()}\n`);
    return;
  }
  const result = await workOut(findVendorScenario(name), options.chips, options.seed);
  const text = options.json ? JSON.stringify(objectOfScenario(result)) : textOfScenario(result);
  process.stdout.write(`${text}\n`);
  writeHtml(options, () => pageOfScenario(result));
}

function chipNames(text: string): readonly string[] {
  return [...new Set(text.split(',').map((name) => findChip(name.trim()).name))];
}
