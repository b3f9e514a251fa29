import type { Command } from 'commander';
import { configSchema } from '../../runtime/options/config-schema.ts';
import { describeSettings, type Setting } from '../../runtime/options/describe-settings.ts';
import { PROGRAM_NAMES } from '../../runtime/options/programs.ts';
import { renderTable } from '../terminal/table.ts';

interface ConfigOptions {
  readonly config?: string;
  readonly json?: true;
  readonly schema?: true;
}

const EXAMPLES = `Examples:
  sohu config                          every option of every process, its value and where that is from
  sohu config --config sohu.json       the same with a file
  sohu config --schema > sohu.schema.json
`;
const HEAD = ['Option', 'Value', 'From', 'Variable', 'Description'];

/** Adds `sohu config`, which shows what the processes of a cluster would run with. */
export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('Show the options of every process: flags, then variables, then a file.')
    .option('--config <file>', 'JSON file with options (default: SOHU_CONFIG)')
    .option('--json', 'print JSON')
    .option('--schema', 'print the JSON Schema of such a file')
    .addHelpText('before', EXAMPLES)
    .action(config);
}

function config({ config: file, json, schema }: ConfigOptions): void {
  if (schema) {
    process.stdout.write(`${JSON.stringify(configSchema(), null, 2)}\n`);
    return;
  }
  const settings = describeSettings(process.env, file);
  const text = json ? JSON.stringify(settings, null, 2) : renderSettings(settings);
  process.stdout.write(`${text}\n`);
}

function renderSettings(settings: readonly Setting[]): string {
  const { stdout: stream } = process;
  return PROGRAM_NAMES.map((program) => {
    const rows = settings.filter((setting) => setting.program === program).map(rowOf);
    return `${program}\n${renderTable(HEAD, rows, { stream, textColumns: HEAD.length })}`;
  }).join('\n\n');
}

function rowOf({ flags, value, source, variable, description }: Setting): string[] {
  return [flags, value === undefined ? '' : String(value), source, variable, description];
}
