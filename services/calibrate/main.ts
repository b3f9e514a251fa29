import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findArchitecture } from '../checkpoint/model-catalogue.ts';
import { InvalidArgumentError } from '../core/support/errors.ts';
import type { Calibration } from '../core/timing/calibration-model.ts';
import { readChipMeasurements } from '../evidence/chip-measurements.ts';
import { type FitReport, fitKernels } from '../evidence/fit/fit-kernels.ts';
import { fitVersions } from '../evidence/fit/fit-versions.ts';
import { readMeasuredOperators } from '../evidence/measured-operators.ts';
import { readPublishedRows } from '../evidence/published-row.ts';

/** The package's own folder: compiled files lie in dist/services/calibrate. */
const ROOT = new URL('../../..', import.meta.url);
const OPERATORS = 'h100_measured_ops.csv';
const VARIABLE = 'SOHU_TIMING_DATA';

/**
 * Fits the timing model and writes services/core/timing/calibration.ts: kernels on the measured
 * operators that --data (or the environment) leads to, software versions on the rows of services/evidence/published.
 */
function calibrate(): void {
  const { kernels, report } = fitKernels({
    ...readMeasuredOperators(join(dataFolder(), OPERATORS)),
    ...readChipMeasurements(packagePath('services/evidence/measured')),
  });
  const versions = fitVersions({
    kernels,
    rows: readPublishedRows(packagePath('services/evidence/published/rows.csv')),
    architectureOf: (model) => findArchitecture(model, packagePath('models/catalogue')),
  });
  writeFileSync(packagePath('services/core/timing/calibration.ts'), render({ kernels, versions }));
  process.stdout.write(report.map(reportLine).join(''));
}

/** Where the measured operators are; they are not part of the package. */
function dataFolder(): string {
  const { values } = parseArgs({ options: { data: { type: 'string' } } });
  const folder = values.data ?? process.env[VARIABLE];
  if (folder !== undefined && existsSync(join(folder, OPERATORS))) return folder;
  throw new InvalidArgumentError(
    `--data or ${VARIABLE} must name a folder with ${OPERATORS}, not ${JSON.stringify(folder ?? '')}: npm run calibrate -- --data <folder>`,
  );
}

function render(calibration: Calibration): string {
  return [
    "import type { Calibration } from './calibration-model.ts';\n",
    '/** Written by `npm run calibrate`, from measurements alone; never by hand. */',
    `export const CALIBRATION: Calibration = ${JSON.stringify(
      calibration,
      (_, value) => value ?? null,
      2,
    )
      .replaceAll(/"(\w+)":/g, '$1:')
      .replaceAll('anchor: null', 'anchor: undefined')};\n`,
  ].join('\n');
}

function reportLine({ operator, rows, meanError }: FitReport): string {
  return `${operator.padEnd(22)} ${String(rows).padStart(5)} rows  mean error ${(100 * meanError).toFixed(1)} %\n`;
}

function packagePath(relative: string): string {
  return fileURLToPath(new URL(relative, ROOT));
}

try {
  calibrate();
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof InvalidArgumentError ? 2 : 1;
}
