import { STEP_POINTS } from '../console-state.ts';
import type { StepBar } from '../events.ts';
import { addPath } from '../sparkline.ts';

const HEIGHT = 84;
const BAR = 0.72;

/** A bar for every step: its prompt tokens upon its generated ones, the newest at the right. */
export class StepStrip {
  readonly #decode: SVGPathElement;
  readonly #prefill: SVGPathElement;

  constructor(svg: SVGSVGElement) {
    svg.setAttribute('viewBox', `0 0 ${STEP_POINTS} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    addPath(svg, 'base').setAttribute('d', `M0 ${HEIGHT}H${STEP_POINTS}`);
    this.#decode = addPath(svg, 'decode');
    this.#prefill = addPath(svg, 'prefill');
  }

  /** Returns the tokens of the highest bar. */
  draw(steps: readonly StepBar[]): number {
    const most = Math.max(1, ...steps.map((step) => step.prefillTokens + step.decodeTokens));
    let decode = '';
    let prefill = '';
    for (const [index, { prefillTokens, decodeTokens }] of steps.entries()) {
      const x = STEP_POINTS - steps.length + index;
      const low = (decodeTokens / most) * HEIGHT;
      const high = (prefillTokens / most) * HEIGHT;
      decode += bar(x, HEIGHT - low, low);
      prefill += bar(x, HEIGHT - low - high, high);
    }
    this.#decode.setAttribute('d', decode);
    this.#prefill.setAttribute('d', prefill);
    return most;
  }
}

function bar(x: number, y: number, height: number): string {
  if (height === 0) return '';
  return `M${x} ${y.toFixed(1)}h${BAR}v${height.toFixed(1)}h-${BAR}z`;
}
