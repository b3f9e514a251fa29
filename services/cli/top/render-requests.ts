import type { EngineLoad } from '../../client/index.ts';
import { formatDuration } from '../terminal/format.ts';
import { type Line, type LineOptions, span, spread } from '../terminal/styled-line.ts';
import { asciiText, cutText, fitText, safeText } from '../terminal/text-width.ts';
import { chooseRequests } from './choose-requests.ts';
import type { RequestRow } from './request-log.ts';
import type { SortKey, View } from './view.ts';

interface Column {
  readonly key: SortKey;
  readonly title: string;
  readonly width: number;
  readonly textOf: (row: RequestRow, nowMs: number) => string;
}

const ID_TITLE = 'Request';
const LEAST_ID = 10;
const COLUMNS: readonly Column[] = [
  { key: 'phase', title: 'Phase', width: 9, textOf: ({ phase }) => phase },
  {
    key: 'prompt',
    title: 'Prompt',
    width: 9,
    textOf: ({ promptTokens }) => (promptTokens === undefined ? '-' : String(promptTokens)),
  },
  { key: 'output', title: 'Output', width: 9, textOf: ({ outputTokens }) => String(outputTokens) },
  { key: 'kv', title: 'KV', width: 7, textOf: ({ kvBlocks }) => String(kvBlocks) },
  {
    key: 'age',
    title: 'Age',
    width: 12,
    textOf: ({ beganMs }, nowMs) =>
      formatDuration(Math.max(0, Math.floor((nowMs - beganMs) / 1000))),
  },
  {
    key: 'preemptions',
    title: 'Preempted',
    width: 12,
    textOf: ({ preemptions }) => String(preemptions),
  },
];

export interface ShownRequests {
  readonly requests: readonly RequestRow[];
  readonly load: EngineLoad;
  readonly nowMs: number;
}

/** The table of requests with its title and head, `height` lines in all. */
export function renderRequests(
  { requests, load, nowMs }: ShownRequests,
  view: View,
  options: LineOptions & { readonly height: number },
): Line[] {
  const chosen = chooseRequests(requests, view);
  const columns = fitColumns(options.width);
  const room = Math.max(0, options.height - 2);
  const first = Math.min(view.scroll, Math.max(0, chosen.length - room));
  const lines = chosen
    .slice(first, first + room)
    .map((row) => rowLine(row, columns, nowMs, options));
  const unseen = load.waiting - requests.filter(({ phase }) => phase === 'waiting').length;
  const more = unseen > 0 && lines.length < room ? [waitingLine(unseen)] : [];
  return [
    titleLine(load, view, options),
    headLine(columns, view, options),
    ...lines,
    ...more,
  ].slice(0, options.height);
}

/** Those that have room beside the name; the last ones give way. */
function fitColumns(width: number): readonly Column[] {
  let left = width - LEAST_ID;
  return COLUMNS.filter((column) => {
    left -= column.width;
    return left >= 0;
  });
}

function titleLine(load: EngineLoad, view: View, options: LineOptions): Line {
  const { running, waiting, maxNumSeqs, preemptions } = load;
  const counts = `  ${running} of ${maxNumSeqs} running, ${waiting} waiting, ${preemptions} preemptions`;
  const filter = view.filter === '' ? [] : [span(`  only "${view.filter}"`, 'warning')];
  return spread([span('Requests', 'bold'), span(counts, 'faint')], filter, options);
}

function headLine(columns: readonly Column[], view: View, options: LineOptions): Line {
  const { glyphs } = options;
  const titleOf = (key: SortKey, title: string): string =>
    key === view.sortKey ? `${title} ${view.isDescending ? glyphs.down : glyphs.up}` : title;
  const styleOf = (key: SortKey) => (key === view.sortKey ? 'accent' : 'faint');
  return [
    span(fitText(titleOf('id', ID_TITLE), idWidth(columns, options), glyphs), styleOf('id')),
    ...columns.map(({ key, title, width }) =>
      span(fitText(titleOf(key, title), width, { ...glyphs, align: 'right' }), styleOf(key)),
    ),
  ];
}

function rowLine(
  row: RequestRow,
  columns: readonly Column[],
  nowMs: number,
  options: LineOptions,
): Line {
  const { glyphs } = options;
  const text = fitText(
    nameOf(row, idWidth(columns, options) - 1, options),
    idWidth(columns, options),
  );
  const style = row.phase === 'waiting' ? 'warning' : 'plain';
  return [
    span(text, style),
    ...columns.map(({ textOf, width: columnWidth }) =>
      span(fitText(textOf(row, nowMs), columnWidth, { ...glyphs, align: 'right' }), style),
    ),
  ];
}

/** The name of a request, cut so that the number of its sample stays. */
function nameOf({ requestId, index }: RequestRow, width: number, { glyphs }: LineOptions): string {
  const sample = index === 0 ? '' : `#${index}`;
  const safe = safeText(requestId);
  const name = glyphs.isAscii ? asciiText(safe) : safe;
  return cutText(cutText(name, width - sample.length, glyphs.mark) + sample, width, glyphs.mark);
}

function idWidth(columns: readonly Column[], { width }: LineOptions): number {
  return Math.max(1, width - columns.reduce((sum, column) => sum + column.width, 0));
}

function waitingLine(count: number): Line {
  return [span(`and ${count} that wait for their first step`, 'faint')];
}
