const WIDTH = 100;
const HEIGHT = 30;

/** The latest values of one figure, the oldest first. */
export class History {
  readonly values: number[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(value: number): void {
    this.values.push(value);
    if (this.values.length > this.#capacity) this.values.shift();
  }
}

/** A line over its area, from 0 to the largest value; its newest end is at the right. */
export class Sparkline {
  readonly #line: SVGPathElement;
  readonly #area: SVGPathElement;
  readonly #capacity: number;

  constructor(svg: SVGSVGElement, capacity: number) {
    this.#capacity = capacity;
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    this.#area = addPath(svg, 'area');
    this.#line = addPath(svg, 'line');
  }

  draw(values: readonly number[]): void {
    const most = Math.max(...values, Number.MIN_VALUE);
    const step = WIDTH / (this.#capacity - 1);
    const begin = WIDTH - step * (values.length - 1);
    const points = values.map((value, index) => {
      const y = HEIGHT - 1 - (value / most) * (HEIGHT - 2);
      return `${(begin + index * step).toFixed(2)} ${y.toFixed(2)}`;
    });
    const line = points.length === 0 ? '' : `M${points.join('L')}`;
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', line && `${line}V${HEIGHT}H${begin.toFixed(2)}Z`);
  }
}

/** A path of a drawing, styled by its class. */
export function addPath(svg: SVGSVGElement, className: string): SVGPathElement {
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('class', className);
  svg.append(path);
  return path;
}
