import { Command } from 'commander';
import { packageVersion } from '../runtime/package-info.ts';
import { addBenchCommand } from './bench/bench.ts';
import { addChatCommand } from './chat/chat.ts';
import { addAuditCommand } from './claim/audit.ts';
import { addCompareCommand } from './claim/compare.ts';
import { addValidateCommand } from './claim/validate.ts';
import { addDoctorCommand } from './doctor/doctor.ts';
import { addConfigCommand } from './keys/config.ts';
import { addKeysCommand } from './keys/keys.ts';
import { addLoadCommand } from './load/load.ts';
import { addChipsCommand } from './models/chips.ts';
import { addModelsCommand } from './models/models.ts';
import { addPlanCommand } from './models/plan.ts';
import { addPriceCommand } from './models/price.ts';
import { addRunCommand } from './run/run.ts';
import { addScenarioCommand } from './scenario/scenario.ts';
import { addDownCommand } from './serve/down.ts';
import { addLogsCommand } from './serve/logs.ts';
import { addPsCommand } from './serve/ps.ts';
import { addUpCommand } from './serve/up.ts';
import { addSimCommand } from './sim/sim.ts';
import { addSmiCommand } from './smi/smi.ts';
import { addCompletionCommand } from './terminal/completion.ts';
import { EXIT_CODES_HELP } from './terminal/errors.ts';
import { addHelpCommand } from './terminal/help.ts';
import { addTopCommand } from './top/top.ts';
import { addTraceCommand } from './trace/trace.ts';
import { addSwarmCommand } from './world/swarm.ts';

const EXAMPLES = `Examples:
  sohu up                        start a cluster, tell a story, serve until Ctrl-C
  sohu run "Once upon a time"    continue a text
  sohu chat                      talk with the model
  sohu bench --request-rate 8    load the running cluster, and measure it
  sohu ps                        list the clusters that run; sohu logs and sohu down go with it
  sohu smi                       show its chips, as nvidia-smi shows GPUs; sohu top watches them
  sohu trace                     write down what a running cluster does, for Perfetto
  sohu doctor                    say what this machine lacks
  sohu price --chip H100         say what a load takes on modelled chips
  sohu compare                   set chips side by side: the headline claim by default
  sohu audit                     take the claim apart: what would have to be true
  sohu scenario voice            work out what the chip is said to be for
  sohu sim --chip H100           serve a workload in virtual time
  sohu load --chip h100          offer a load to a phantom cluster
  sohu validate                  hold the timing model against measurements
  sohu swarm --seeds 1000        look for faults that a cluster does not survive
`;

/** In the order of the help, by what they are for. */
const COMMAND_GROUPS: Readonly<Record<string, readonly ((program: Command) => void)[]>> = {
  'A cluster that serves:': [
    ...[addUpCommand, addRunCommand, addChatCommand, addBenchCommand],
    ...[addPsCommand, addLogsCommand, addSmiCommand, addTopCommand],
    ...[addTraceCommand, addDownCommand, addLoadCommand],
  ],
  'Modelled chips:': [
    ...[addChipsCommand, addModelsCommand, addPlanCommand, addPriceCommand, addSimCommand],
    ...[addCompareCommand, addAuditCommand, addScenarioCommand, addValidateCommand],
  ],
  'Checks and help:': [
    ...[addDoctorCommand, addConfigCommand, addKeysCommand, addSwarmCommand],
    ...[addHelpCommand, addCompletionCommand],
  ],
};

/** The command line with all its commands. */
export function makeProgram(): Command {
  const program = new Command('sohu')
    .description('A distributed emulator of Etched Sohu clusters.')
    .version(packageVersion())
    .configureOutput({ outputError: (text, write) => write(text.replace('\n(', ' (')) })
    .addHelpText('before', EXAMPLES)
    .addHelpText('afterAll', EXIT_CODES_HELP);
  for (const [title, adders] of Object.entries(COMMAND_GROUPS)) {
    program.commandsGroup(title);
    for (const addCommand of adders) addCommand(program);
  }
  return program;
}
