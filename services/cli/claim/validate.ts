import { type Command, Option } from 'commander';
import { findNamed } from '../../core/support/nearest.ts';
import { CALIBRATION } from '../../core/timing/calibration.ts';
import { describeRow } from '../../evidence/published-row.ts';
import {
  type ErrorSummary,
  summarizeErrors,
  type ValidatedRow,
  validateRows,
} from '../../evidence/validate.ts';
import { findModel } from '../models/models.ts';
import { formatNumber, formatShare } from '../models/quantity.ts';
import { printedTable } from '../terminal/table.ts';
import { publishedRows } from './published-rows.ts';

const EXAMPLES = `Examples:
  sohu validate                            the error of every published row, and the medians
  sohu validate --software trtllm-0.10.0   one version of the software
  sohu validate --markdown                 the medians as Markdown
  sohu validate --json
`;
const ROW_HEAD = ['Row', 'Role', 'Published', 'Predicted', 'Error', 'Doubt'];
const SUMMARY_HEAD = [
  'Table',
  'Version',
  'Chip',
  'Precision',
  'Metric',
  'Role',
  'Rows',
  'Median error',
  'without doubtful rows',
  'Bias',
  'Largest',
];

interface ValidateOptions {
  readonly software: string | undefined;
  readonly json?: true;
  readonly markdown?: true;
}

/** Adds `sohu validate`, which holds the timing model against published measurements. */
export function addValidateCommand(program: Command): void {
  program
    .command('validate')
    .description('Hold the timing model against published measurements, row by row.')
    .option('--software <version>', 'only this version of the software')
    .addOption(new Option('--json', 'print one JSON object').conflicts('markdown'))
    .option('--markdown', 'print the rows and medians as Markdown tables')
    .addHelpText('before', EXAMPLES)
    .addHelpText(
      'after',
      '\nRoles: fit (calibrated on), anchor (set its version’s overlap), check (never fitted).',
    )
    .action(validate);
}

function validate(options: ValidateOptions): void {
  const all = validateRows(publishedRows(), CALIBRATION, findModel);
  const rows = choose(all, options.software);
  const summaries = summarizeErrors(rows, ({ row, role }) =>
    [row.table, row.version, row.chip, row.precision, row.metric, role].join(),
  );
  const totals = summarizeErrors(rows, ({ row, role }) =>
    [row.table, role, row.metric, row.chip, row.precision].join(),
  ).map((summary) => ({ ...summary, version: 'all' }));
  const text = options.json
    ? JSON.stringify({ rows, summaries, totals })
    : render({ rows, summaries: [...summaries, ...totals], markdown: options.markdown === true });
  process.stdout.write(`${text}\n`);
}

function choose(all: readonly ValidatedRow[], software: string | undefined) {
  if (software === undefined) return all;
  const versions = [...new Set(all.map(({ row }) => row.version))];
  const wanted = findNamed(versions, software, { field: 'software', namesOf: (name) => [name] });
  return all.filter(({ row }) => row.version === wanted);
}

function render(report: {
  readonly rows: readonly ValidatedRow[];
  readonly summaries: readonly ErrorSummary[];
  readonly markdown: boolean;
}): string {
  const { rows, summaries, markdown } = report;
  return [
    printedTable({ head: ROW_HEAD, rows: rows.map(rowCells), textColumns: 2 }, markdown),
    printedTable(
      { head: SUMMARY_HEAD, rows: summaries.map(summaryCells), textColumns: 6 },
      markdown,
    ),
  ].join('\n\n');
}

function rowCells({ row, role, predicted, error }: ValidatedRow): string[] {
  return [
    describeRow(row),
    role,
    formatNumber(row.value),
    formatNumber(predicted),
    formatError(error),
    row.doubt ?? '',
  ];
}

function summaryCells(summary: ErrorSummary): string[] {
  const { soundMedianError } = summary;
  return [
    summary.table,
    summary.version,
    summary.chip,
    summary.precision,
    summary.metric,
    summary.role,
    String(summary.rows),
    formatShare(summary.medianError),
    soundMedianError === undefined ? '' : formatShare(soundMedianError),
    formatError(summary.bias),
    formatShare(summary.largestError),
  ];
}

function formatError(error: number): string {
  return `${error < 0 ? '' : '+'}${(100 * error).toFixed(1)} %`;
}
