#!/usr/bin/env node
import { Command, type CommanderError } from 'commander';
import { packageVersion } from '../runtime/package-info.ts';
import { addAuditCommand } from './audit.ts';
import { addBenchCommand } from './bench/bench.ts';
import { addChipsCommand } from './chips.ts';
import { addCompareCommand } from './compare.ts';
import { addConfigCommand } from './config.ts';
import { addDoctorCommand } from './doctor.ts';
import { EXIT_CODES, EXIT_CODES_HELP, exitCodeOf, StopRequest } from './errors.ts';
import { addKeysCommand } from './keys.ts';
import { addModelsCommand } from './models.ts';
import { addPlanCommand } from './plan.ts';
import { addPriceCommand } from './price.ts';
import { addRunCommand } from './run.ts';
import { addSimCommand } from './sim.ts';
import { addSwarmCommand } from './swarm.ts';
import { addUpCommand } from './up.ts';
import { addValidateCommand } from './validate.ts';

const EXAMPLES = `Examples:
  sohu up                        start a cluster, tell a story, serve until Ctrl-C
  sohu run "Once upon a time"    continue a text
  sohu bench --request-rate 8    load the running cluster, and measure it
  sohu doctor                    say what this machine lacks
  sohu price --chip H100         say what a load takes on modelled chips
  sohu compare                   set chips side by side: the headline claim by default
  sohu audit                     take the claim apart: what would have to be true
  sohu sim --chip H100           serve a workload in virtual time
  sohu validate                  hold the timing model against measurements
  sohu swarm --seeds 1000        look for faults that a cluster does not survive
`;

const program = new Command('sohu')
  .description('A distributed emulator of Etched Sohu clusters.')
  .version(packageVersion())
  .exitOverride(leave)
  .configureOutput({ outputError: (text, write) => write(text.replace('\n(', ' (')) })
  .addHelpText('before', EXAMPLES)
  .addHelpText('after', EXIT_CODES_HELP);
addUpCommand(program);
addRunCommand(program);
addBenchCommand(program);
addDoctorCommand(program);
addConfigCommand(program);
addKeysCommand(program);
addChipsCommand(program);
addModelsCommand(program);
addPlanCommand(program);
addPriceCommand(program);
addCompareCommand(program);
addAuditCommand(program);
addSimCommand(program);
addValidateCommand(program);
addSwarmCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof StopRequest)) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exitCode = exitCodeOf(error);
}

/** Commander has printed help, or what is wrong with the arguments. */
function leave({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage);
}
