import {
  isByConstruction,
  type PlacedModel,
  uncertainFigures,
} from '../../core/timing/load-price.ts';
import { softwareParametersOf } from '../../core/timing/software-parameters.ts';
import type { OperatorPrice, StepPrice } from '../../core/timing/step-price.ts';
import { renderTable } from '../terminal/table.ts';
import { formatShare } from './quantity.ts';

const HEAD = ['Operator', 'Time', 'Share', 'Compute', 'Memory', 'Collectives', 'Overhead'];

/** The account of the step shown, its collectives before any overlap. */
export function operatorTable(operators: readonly OperatorPrice[], step: StepPrice): string {
  const ms = (seconds: number): string => `${(1000 * seconds).toFixed(2)} ms`;
  const { seconds: total, hiddenCollectiveSeconds: hidden } = step;
  const rows = operators
    .filter(({ seconds }) => seconds > 0)
    .map((line) => [
      line.name,
      ms(line.seconds),
      formatShare(line.seconds / total),
      ms(line.computeSeconds),
      ms(line.memorySeconds),
      ms(line.collectiveSeconds),
      ms(line.overheadSeconds),
    ]);
  const overlap = [
    'overlap',
    `-${ms(hidden)}`,
    `-${formatShare(hidden / total)}`,
    '',
    '',
    `-${ms(hidden)}`,
    '',
  ];
  return renderTable(HEAD, hidden > 0 ? [...rows, overlap] : rows, {
    stream: process.stdout,
    textColumns: 1,
  });
}

/** What a reader must know beside the numbers. */
export function caveats({ chip, software }: PlacedModel): string[] {
  const uncertain = uncertainFigures(chip);
  return [
    `Software: ${softwareParametersOf(software).version.basis}.`,
    ...(uncertain.length === 0
      ? []
      : [`Ranges: ${uncertain.join(', ')} of ${chip.name} not known.`]),
    ...(isByConstruction(chip)
      ? [`Input, by construction: the peak of ${chip.name} is deduced from its throughput claim.`]
      : []),
  ];
}
