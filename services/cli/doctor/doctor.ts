import type { Command } from 'commander';
import { EXIT_CODES } from '../terminal/errors.ts';
import { colorsFor } from '../terminal/format.ts';
import type { Check } from './check.ts';
import { checkSurroundings } from './machine-checks.ts';
import { checkPrograms } from './program-checks.ts';

const EXAMPLES = `Examples:
  sohu doctor                 what is there, what is missing (✗), what would be good to have (!)
  sohu doctor --json          the same for programs; exit code 1 where something is missing
`;

/** Adds `sohu doctor`, which says what the machine lacks. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Say what this machine lacks for a cluster; changes nothing.')
    .option('--json', 'print one JSON object')
    .addHelpText('before', EXAMPLES)
    .action(doctor);
}

async function doctor({ json }: { readonly json?: true }): Promise<void> {
  const checks = [...(await checkPrograms()), ...(await checkSurroundings())];
  const ok = checks.every((check) => check.ok || check.optional);
  const text = json ? JSON.stringify({ ok, checks }) : checks.map(checkLine).join('\n');
  process.stdout.write(`${text}\n`);
  process.exitCode = ok ? EXIT_CODES.ok : EXIT_CODES.failed;
}

function checkLine(check: Check): string {
  return `${markOf(check)} ${check.name.padEnd(16)} ${check.detail}`;
}

function markOf({ ok, optional }: Check): string {
  const { green, red, yellow } = colorsFor(process.stdout);
  if (ok) return green('✓');
  return optional ? yellow('!') : red('✗');
}
