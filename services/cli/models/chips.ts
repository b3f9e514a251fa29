import type { Command } from 'commander';
import { type Chip, FORMATS } from '../../core/hardware/chip.ts';
import { CHIPS, findChip } from '../../core/hardware/chip-catalogue.ts';
import type { Figure } from '../../core/hardware/figure.ts';
import { renderTable } from '../terminal/table.ts';
import { formatFigure } from './quantity.ts';

const EXAMPLES = `Examples:
  sohu chips                  every chip whose device time is modelled
  sohu chips Sohu             one data sheet, with the source of each number
  sohu chips H100 --json
`;
const HEAD = ['Chip', 'Dense peak', 'Memory', 'Bandwidth', 'Link, one way', 'Power', 'Price'];

/** Adds `sohu chips`, which shows the data sheets that device time rests on. */
export function addChipsCommand(program: Command): void {
  program
    .command('chips')
    .description('Show the chips whose device time is modelled, and where each number comes from.')
    .argument('[name]', 'one chip')
    .option('--json', 'print JSON')
    .addHelpText('before', EXAMPLES)
    .action(chips);
}

function chips(name: string | undefined, { json }: { readonly json?: true }): void {
  const chosen = name === undefined ? CHIPS : [findChip(name)];
  const text = json
    ? JSON.stringify(name === undefined ? chosen : chosen[0])
    : name === undefined
      ? listTable(chosen)
      : sheetOf(chosen[0]!);
  process.stdout.write(`${text}\n`);
}

function listTable(all: readonly Chip[]): string {
  const rows = all.map((chip) => [
    chip.name,
    peakOf(chip),
    formatFigure(chip.memoryBytes),
    formatFigure(chip.memoryBytesPerSecond),
    formatFigure(chip.links.bytesPerSecond),
    formatFigure(chip.powerWatts),
    formatFigure(chip.priceDollars),
  ]);
  return renderTable(HEAD, rows, { stream: process.stdout, textColumns: 1 });
}

/** The peak of the narrowest of the usual formats. */
function peakOf({ peakFlops }: Chip): string {
  const format = (['fp8', 'int8', 'bf16'] as const).find((name) => peakFlops[name] !== undefined)!;
  return `${format} ${formatFigure(peakFlops[format]!)}`;
}

function sheetOf(chip: Chip): string {
  const rows = figuresOf(chip).map(([name, figure]) => [
    name,
    formatFigure(figure),
    figure.origin,
    figure.source,
  ]);
  const title = `${chip.name}: ${chip.vendor}, ${chip.process}, ${chip.memoryKind}, ${chip.links.topology} links`;
  const table = renderTable(['Figure', 'Value', 'Origin', 'Source'], rows, {
    stream: process.stdout,
    textColumns: 4,
  });
  return [title, table, ...chip.notes.map((note) => `Note: ${note}`)].join('\n');
}

function figuresOf(chip: Chip): readonly (readonly [string, Figure])[] {
  const byFormat = (label: string, figures: Chip['peakFlops'] = {}) =>
    FORMATS.flatMap((format) => {
      const figure = figures[format];
      return figure === undefined ? [] : [[`${label} ${format}`, figure] as const];
    });
  const optional = (name: string, figure: Figure | undefined) =>
    figure === undefined ? [] : [[name, figure] as const];
  return [
    ...byFormat('dense peak', chip.peakFlops),
    ...byFormat('best product', chip.bestGemmFlops),
    ...byFormat('sustained product', chip.sustainedGemmFlops),
    ['memory', chip.memoryBytes],
    ['memory bandwidth', chip.memoryBytesPerSecond],
    ...optional('weight streaming', chip.streamBytesPerSecond),
    ['links, one way', chip.links.bytesPerSecond],
    ['network, one way', chip.links.networkBytesPerSecond],
    ['power', chip.powerWatts],
    ['price', chip.priceDollars],
    ...optional('dies', chip.dieSquareMillimetres),
    ...optional('transistors', chip.transistors),
  ];
}
