import type { Command } from 'commander';
import { type Check, checkMachine } from './doctor-checks.ts';
import { EXIT_CODES } from './errors.ts';
import { colorsFor } from './format.ts';

const EXAMPLES = `Examples:
  sohu doctor
  sohu doctor --json
`;

/** Adds `sohu doctor`, which says what the machine lacks. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Say what this machine lacks for a cluster.')
    .option('--json', 'print one JSON object')
    .addHelpText('before', EXAMPLES)
    .action(doctor);
}

async function doctor({ json }: { readonly json?: true }): Promise<void> {
  const checks = await checkMachine();
  const ok = checks.every((check) => check.ok);
  const text = json ? JSON.stringify({ ok, checks }) : checks.map(checkLine).join('\n');
  process.stdout.write(`${text}\n`);
  process.exitCode = ok ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function checkLine({ name, ok, detail }: Check): string {
  const { green, red } = colorsFor(process.stdout);
  return `${ok ? green('✓') : red('✗')} ${name.padEnd(16)} ${detail}`;
}
