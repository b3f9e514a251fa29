import { basisOf } from '../smi/chip-figures.ts';
import { formatDuration, formatMs, formatShare } from '../terminal/format.ts';
import {
  type Line,
  type LineOptions,
  type Span,
  span,
  spread,
  widthOfLine,
} from '../terminal/styled-line.ts';
import { padded } from './compact-number.ts';
import type { TopState } from './top-state.ts';
import type { View } from './view.ts';

/** What is served and how far, then what it makes in host and in device time. */
export function renderHead(state: TopState, view: View, options: LineOptions): Line[] {
  const { snapshot } = state;
  if (snapshot === undefined) return [[span('sohu top', 'bold')], [span(state.trouble ?? '')], []];
  const { modelName, precision, kvCacheDtype, weights, cluster, engine } = snapshot;
  const which = state.engines > 1 ? `${cluster}, engine ${engine} of ${state.engines}` : cluster;
  const what = `  ${modelName}  ${precision}, KV ${kvCacheDtype}, ${weights} weights`;
  const title: Line = [span(which, 'bold'), span(what)];
  return [spread(title, stateOf(state, view, options), options), ...renderRates(snapshot, options)];
}

function stateOf({ snapshot, trouble }: TopState, view: View, { glyphs }: LineOptions): Line {
  const { state, epoch, uptimeMs } = snapshot!;
  const paused = view.isPaused ? [span(' paused ', 'inverse'), span('  ')] : [];
  if (trouble !== undefined)
    return [span('  '), ...paused, span(`${glyphs.dot} ${trouble}`, 'bad')];
  const up = largestUnit(uptimeMs);
  const style = state === 'serving' ? 'good' : 'warning';
  return [
    ...[span('  '), ...paused, span(`${glyphs.dot} ${state}`, style)],
    span(`  epoch ${epoch}  up ${up}`, 'faint'),
  ];
}

function renderRates(
  { rates, chips }: NonNullable<TopState['snapshot']>,
  { width }: LineOptions,
): Line[] {
  const watts = chips.reduce((sum, { powerWatts }) => sum + powerWatts, 0);
  const host: Line = [
    ...figures('host', rates.generatedTokensPerSecond, rates.promptTokensPerSecond, rates.stepMs),
    ...[span('  '), span(formatShare(rates.busy).padStart(5), 'bold'), span(' busy', 'faint')],
  ];
  const device: Line = [
    ...figures(
      'device',
      rates.deviceGeneratedTokensPerSecond,
      rates.devicePromptTokensPerSecond,
      rates.deviceStepMs,
    ),
    ...[span('  '), span(String(Math.round(watts)).padStart(5), 'bold'), span(' W', 'faint')],
  ];
  const room = width - widthOfLine(device) - 2;
  const basis = basisOf(chips[0]?.name);
  const short = basis.split(',', 1)[0]!;
  return [host, [...device, span(`  ${basis.length <= room ? basis : short}`, 'faint')]];
}

/** A duration in its largest unit alone. */
function largestUnit(durationMs: number): string {
  return formatDuration(Math.floor(durationMs / 1000))
    .split(' ')
    .slice(0, 2)
    .join(' ');
}

function figures(clock: string, output: number, prompt: number, stepMs: number): Span[] {
  const step = stepMs > 0 ? formatMs(stepMs) : '-';
  return [
    span(clock.padEnd(7), 'faint'),
    ...[span(padded(output, 5), 'bold'), span(' tokens/s  ', 'faint')],
    ...[span(padded(prompt, 5), 'bold'), span(' prompt/s  ', 'faint')],
    ...[span(step.padStart(7), 'bold'), span(' a step', 'faint')],
  ];
}
