import { Argument, type Command, type Option } from 'commander';
import { listCatalogue } from '../../checkpoint/model-catalogue.ts';
import { listBundledModels } from '../../checkpoint/resolve-model.ts';
import { CHIPS } from '../../core/hardware/chip-catalogue.ts';
import { SOFTWARE_VERSIONS } from '../../core/timing/software-version.ts';
import { packagePath } from '../../runtime/package-info.ts';
import { listClusterLogs, logDirectoryOf } from '../../runtime/state/cluster-logs.ts';
import { findRunningClusters } from '../../runtime/state/cluster-records.ts';
import { listLoggedProcesses } from '../../runtime/state/read-logs.ts';
import { VENDOR_SCENARIOS } from '../../sim/vendor-scenarios/catalogue.ts';
import { completeWords, type PlaceValues } from './complete-words.ts';
import { FILES, SCRIPTS, SHELLS, type Shell } from './completion-scripts.ts';
import { helpSubjects } from './help.ts';

type Values = (command: Command) => readonly string[];

const EXAMPLES = `Examples:
  sohu completion bash > ~/.sohu-completion     and in ~/.bashrc: source ~/.sohu-completion
  sohu completion zsh > ~/.zfunc/_sohu          a folder of $fpath
  sohu completion fish > ~/.config/fish/completions/sohu.fish
`;

const serveModels: Values = () => listBundledModels(packagePath('models'));
const pricedModels: Values = () => listCatalogue(packagePath('models/catalogue'));
const chips: Values = () => CHIPS.map(({ name }) => name);
const clusters: Values = () => findRunningClusters().map(({ cluster }) => cluster);
const processes: Values = () =>
  listClusterLogs().slice(0, 1).map(logDirectoryOf).flatMap(listLoggedProcesses);
const software: Values = () => SOFTWARE_VERSIONS.map(({ name }) => name);

/** Options whose values only the program knows; those with fixed choices are known from them. */
const OPTION_VALUES: Readonly<Record<string, Values>> = {
  chip: chips,
  cluster: clusters,
  model: pricedModels,
  process: processes,
  software,
};
/** Commands whose model is one that is served, of which only some come with the program. */
const SERVING = ['up', 'run', 'chat', 'bench'];
const ARGUMENT_VALUES: Readonly<Record<string, Values>> = {
  'chips name': chips,
  'models name-or-path': pricedModels,
  'scenario name': () => VENDOR_SCENARIOS.map(({ name }) => name),
  'down cluster': clusters,
  'logs cluster': clusters,
  'help command': (command) => helpSubjects(command.parent!),
};
/** In the placeholder of a value that may be a file. */
const FILE = /file|path|claim/;

/** Adds `sohu completion <shell>`, and the hidden `sohu complete`, which its scripts ask. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description('Print what makes a shell complete commands, options and their values.')
    .addArgument(new Argument('<shell>', 'whose script to print').choices(SHELLS))
    .addHelpText('before', EXAMPLES)
    .action((shell: Shell) => void process.stdout.write(SCRIPTS[shell]));
  program
    .command('complete', { hidden: true })
    .description('Print what may stand at the end of a command line.')
    .argument('[words...]', 'the command line after the program, as far as the cursor')
    .addHelpText('before', 'Examples:\n  sohu complete -- sim --chip H\n')
    .action((words: readonly string[]) => complete(program, words));
}

function complete(program: Command, words: readonly string[]): void {
  const { candidates, files } = completeWords(program, words, valuesOf);
  const lines = candidates.map(({ value, description }) => `${value}\t${description}`);
  process.stdout.write([...lines, ...(files ? [FILES] : [])].map((line) => `${line}\n`).join(''));
}

function valuesOf(command: Command, place: Option | Argument): PlaceValues {
  if (place instanceof Argument) {
    const values = ARGUMENT_VALUES[`${command.name()} ${place.name()}`] ?? none;
    return { values: values(command), files: FILE.test(place.name()) };
  }
  const name = place.long!.slice(2);
  const serves = name === 'model' && SERVING.includes(command.name());
  const values = serves ? serveModels : (OPTION_VALUES[name] ?? none);
  return { values: values(command), files: FILE.test(place.flags) };
}

function none(): readonly string[] {
  return [];
}
