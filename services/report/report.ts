/** A document about numbers; what it looks like is up to the renderer. */
export interface Report {
  readonly title: string;
  /** What a reader must know first. */
  readonly lead: readonly string[];
  readonly sections: readonly ReportSection[];
}

export interface ReportSection {
  readonly title: string;
  readonly blocks: readonly ReportBlock[];
}

export type ReportBlock = Tiles | Table | BarChart | LineCharts | Notes | FileLink;

/** A few figures that are to be seen at once. */
export interface Tiles {
  readonly kind: 'tiles';
  readonly tiles: readonly { readonly label: string; readonly figure: Cell }[];
}

export interface Table {
  readonly kind: 'table';
  readonly caption: string;
  /** Of the columns; those from `textColumns` on are numbers. */
  readonly head: readonly string[];
  readonly textColumns: number;
  readonly rows: readonly (readonly Cell[])[];
}

/** Text, or numbers as they are printed together with what they are: one, or both ends of a range. */
export type Cell = string | NumberCell;

export interface NumberCell {
  readonly text: string;
  readonly values: readonly number[];
}

/** Horizontal bars from 0, each a row of a table. */
export interface BarChart {
  readonly kind: 'bars';
  readonly caption: string;
  /** Of the label and of the cells after the bar. */
  readonly head: readonly string[];
  readonly rows: readonly BarRow[];
  /** What the styles of the spans mean, in their order; none where there is one. */
  readonly legend: readonly string[];
  /** A line across all bars. */
  readonly mark?: { readonly value: number; readonly label: string };
}

export interface BarRow {
  readonly label: string;
  readonly spans: readonly BarSpan[];
  readonly cells: readonly Cell[];
}

export interface BarSpan {
  readonly from: number;
  readonly to: number;
  /** Index into the legend, or what is not known. */
  readonly style: number | 'shaded';
}

/** Charts side by side. */
export interface LineCharts {
  readonly kind: 'lines';
  readonly charts: readonly LineChart[];
}

/** Lines over common values of x, and the same as a table. */
export interface LineChart {
  readonly caption: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly xs: readonly number[];
  /** Null where there is nothing. */
  readonly series: readonly {
    readonly label: string;
    readonly values: readonly (number | null)[];
  }[];
  /** Lets x run upwards and y to the right, as a cumulative distribution is drawn. */
  readonly isTransposed?: true;
}

export interface Axis {
  readonly label: string;
  readonly range?: readonly [number, number];
  /** Printed after the numbers of the axis. */
  readonly unit?: string;
}

export interface Notes {
  readonly kind: 'notes';
  readonly lines: readonly string[];
  /** Numbered, from 1. */
  readonly isNumbered?: true;
}

/** A file beside the document. */
export interface FileLink {
  readonly kind: 'file';
  readonly text: string;
  /** Folders and name, from the folder of the document. */
  readonly path: readonly string[];
}

/** A number, or both ends of a range, as a cell that prints so. */
export function cellOf(value: number | Ends, text: string): NumberCell {
  const values = typeof value === 'number' ? [value] : [value.low, value.high];
  return { text, values };
}

/** A cell as it is printed. */
export function textOfCell(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

export interface Ends {
  readonly low: number;
  readonly high: number;
}

/** A bar up to the low end of a range, and shaded up to the high end. */
export function spansOfRange({ low, high }: Ends): readonly BarSpan[] {
  const solid: BarSpan = { from: 0, to: low, style: 0 };
  return high > low ? [solid, { from: low, to: high, style: 'shaded' }] : [solid];
}

/** Spans one after the other, each of its own style. */
export function spansOfParts(parts: readonly number[]): readonly BarSpan[] {
  let end = 0;
  const spans = parts.map((part, style) => {
    const from = end;
    end += part;
    return { from, to: end, style };
  });
  return spans.filter(({ from, to }) => to > from);
}
