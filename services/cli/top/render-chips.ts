import type { ChipStatus } from '../../client/index.ts';
import { formatShare } from '../terminal/format.ts';
import { meterOf } from '../terminal/meter.ts';
import { type Line, type LineOptions, type Span, span } from '../terminal/styled-line.ts';
import { shareOf } from './history.ts';

interface Meter {
  readonly title: string;
  readonly read: (chip: ChipStatus) => number;
}

const METERS: readonly Meter[] = [
  { title: 'MFU', read: ({ mfu }) => mfu },
  { title: 'HBM', read: ({ hbmBandwidth }) => hbmBandwidth },
  { title: 'Link', read: ({ linkBandwidth }) => linkBandwidth },
  {
    title: 'KV blocks',
    read: ({ hbmKvBytes, hbmKvReservedBytes }) => shareOf(hbmKvBytes, hbmKvReservedBytes),
  },
];
const LEFT_WIDTH = 15;
const SHARE_WIDTH = 6;
const GAP = 2;
const LEAST_BAR = 4;
const WIDEST_BAR = 40;

/** A line for each chip with bars, at most `rows` of them, below a head. */
export function renderChips(
  chips: readonly ChipStatus[],
  rows: number,
  options: LineOptions,
): Line[] {
  const { meters, bar } = fitMeters(options.width);
  const cell = bar + SHARE_WIDTH + GAP;
  const head = meters
    .map(({ title }) => title.padEnd(cell))
    .join('')
    .trimEnd();
  const shown = chips.length > rows ? chips.slice(0, Math.max(0, rows - 1)) : chips;
  const rest = chips.length - shown.length;
  return [
    [span('Chip'.padEnd(LEFT_WIDTH), 'bold'), span(head, 'faint')],
    ...shown.map((chip) => [
      ...nameOf(chip),
      ...meters.flatMap((meter, index) => [
        span(' '.repeat(index > 0 ? GAP : 0)),
        ...renderMeter(meter.read(chip), bar, options),
      ]),
    ]),
    ...(rest > 0 && rows > 0 ? [[span(`and ${rest} more`, 'faint')]] : []),
  ];
}

/** As many meters as have room for a bar. */
function fitMeters(width: number): { readonly meters: readonly Meter[]; readonly bar: number } {
  const room = width - LEFT_WIDTH;
  const least = LEAST_BAR + SHARE_WIDTH + GAP;
  const count = Math.max(1, Math.min(METERS.length, Math.floor((room + GAP) / least)));
  // The last one needs no gap behind it.
  const bar = Math.floor((room + GAP) / count) - SHARE_WIDTH - GAP;
  return { meters: METERS.slice(0, count), bar: Math.min(WIDEST_BAR, Math.max(1, bar)) };
}

function nameOf({ seat, state, droppedFrames }: ChipStatus): Span[] {
  const index = `${String(seat).padStart(3)}  `;
  if (state !== 'ready') return [span(index), span(state.padEnd(LEFT_WIDTH - 5), 'warning')];
  if (droppedFrames === 0) return [span(index), span(state.padEnd(LEFT_WIDTH - 5), 'faint')];
  const dropped = `${droppedFrames} lost`.slice(0, LEFT_WIDTH - 6);
  return [span(index), span(dropped.padEnd(LEFT_WIDTH - 5), 'warning')];
}

function renderMeter(share: number, width: number, { glyphs }: LineOptions): Span[] {
  const { filled, rest } = meterOf(share, width, glyphs);
  const text = formatShare(share).padStart(SHARE_WIDTH);
  return [span(filled, 'accent'), span(rest, 'faint'), span(text)];
}
