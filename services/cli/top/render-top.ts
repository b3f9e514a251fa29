import { cutLine, type Line, type LineOptions, span, spread } from '../terminal/styled-line.ts';
import { renderCharts } from './render-charts.ts';
import { renderChips } from './render-chips.ts';
import { renderHead } from './render-head.ts';
import { renderRequests } from './render-requests.ts';
import type { TopState } from './top-state.ts';
import type { View } from './view.ts';

export interface ScreenOptions extends LineOptions {
  readonly height: number;
}

const HELP: readonly (readonly [string, string])[] = [
  ['q', 'quit'],
  ['?  h', 'this help, and back'],
  ['p  Space', 'pause: keep what is shown, and go on'],
  ['/', 'show only requests whose name or phase has a text; Enter keeps it, Esc ends it'],
  ['s  Left  Right', 'sort by another column'],
  ['r', 'turn the order round'],
  ['j k  Up Down', 'scroll; PgUp, PgDn, Home too'],
  ['Ctrl-L', 'draw all again'],
  ['Ctrl-Z', 'stop; fg goes on'],
  ['', ''],
  ['host', 'time of the processes that compute'],
  ['device', 'time that the modelled chips would take'],
];
const KEYS = 'q quit   ? help   / filter   s sort   r reverse   p pause';
/** Below this many lines, none is left empty. */
const AIRY_HEIGHT = 22;
const HIGHEST_CHART = 8;
const LEAST_CHART = 2;
/** Of the space that chips leave: the rest is for requests. */
const CHART_SHARE = 0.35;

/** The whole screen: at most `height` lines of at most `width` columns. */
export function renderTop(state: TopState, view: View, options: ScreenOptions): Line[] {
  const head = renderHead(state, view, options);
  const footer = renderFooter(view, options);
  const room = Math.max(0, options.height - head.length - 1);
  const body = view.hasHelp ? renderHelp() : renderBody(state, view, { ...options, height: room });
  const lines = [...head, ...body].slice(0, Math.max(0, options.height - 1));
  const empty = Array.from({ length: Math.max(0, options.height - 1 - lines.length) }, () => []);
  return [...lines, ...empty, footer].slice(-options.height).map((line) => cutLine(line, options));
}

function renderBody(state: TopState, view: View, options: ScreenOptions): Line[] {
  const { snapshot, history, requests, nowMs } = state;
  if (snapshot === undefined) return [];
  const gap: Line[] = options.height >= AIRY_HEIGHT - 4 ? [[]] : [];
  const chips = [...gap, ...renderChips(snapshot.chips, Math.ceil(options.height * 0.4), options)];
  const left = options.height - chips.length;
  const height = Math.min(HIGHEST_CHART, Math.floor(left * CHART_SHARE));
  const charts = height < LEAST_CHART ? [] : [...gap, ...renderCharts(history, height, options)];
  const table = { ...options, height: Math.max(0, left - charts.length - gap.length) };
  const shown = { requests, load: snapshot.load, nowMs };
  return [...chips, ...charts, ...gap, ...renderRequests(shown, view, table)];
}

function renderFooter(view: View, options: LineOptions): Line {
  if (view.typing !== undefined) {
    const keys: Line = [span('   Enter keeps it   Esc ends it', 'faint')];
    return spread([span('/', 'accent'), span(view.typing), span(' ', 'inverse')], keys, options);
  }
  return [span(KEYS, 'faint')];
}

function renderHelp(): Line[] {
  const width = Math.max(...HELP.map(([keys]) => keys.length));
  return [
    [],
    ...HELP.map(([keys, meaning]) => [span(`  ${keys.padEnd(width)}   `, 'accent'), span(meaning)]),
  ];
}
