import type { ClusterSnapshot } from '../../client/index.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';
import { safeText } from '../terminal/text-width.ts';
import type { QueryField } from './query-fields.ts';

/** How `--format` wants the answer to a query. */
export interface CsvFormat {
  readonly hasHeader: boolean;
  readonly hasUnits: boolean;
}

const ABSENT = '[N/A]';
const FORMAT_WORDS = ['csv', 'noheader', 'nounits'];

/** Reads "csv", "csv,noheader", "csv,noheader,nounits"; throws an InvalidArgumentError for others. */
export function parseFormat(text: string): CsvFormat {
  const words = text.split(',').map((word) => word.trim());
  const isKnown = words[0] === 'csv' && words.every((word) => FORMAT_WORDS.includes(word));
  if (isKnown)
    return { hasHeader: !words.includes('noheader'), hasUnits: !words.includes('nounits') };
  throw new InvalidArgumentError(
    `format must be csv, and may add noheader and nounits, not ${JSON.stringify(text)}`,
  );
}

/** The first line, as nvidia-smi writes it: units stay there also where values have none. */
export function csvHeader(fields: readonly QueryField[]): string {
  return fields
    .map(({ name, unit }) => (unit === undefined ? name : `${name} [${unit}]`))
    .join(', ');
}

/** A line for each chip. */
export function csvLines(
  engine: ClusterSnapshot,
  fields: readonly QueryField[],
  { hasUnits }: CsvFormat,
): string[] {
  return engine.chips.map((chip) =>
    fields
      .map(({ read, unit }) => {
        const value = read(chip, engine);
        if (value === undefined) return ABSENT;
        return hasUnits && unit !== undefined ? `${value} ${unit}` : safeText(String(value));
      })
      .join(', '),
  );
}
