import type { Range } from '../../core/hardware/figure.ts';
import { chipCount } from '../../core/timing/layout.ts';
import { isByConstruction, type PlacedModel } from '../../core/timing/load-price.ts';
import { priceSample, type SamplePrice } from '../../core/timing/sample-price.ts';
import { caveats, operatorTable } from './price-parts.ts';
import { formatNumber, formatRange, formatShare } from './quantity.ts';

/** What a sample of a diffusion transformer takes. */
export function textOfSample(placed: PlacedModel, json: boolean): string {
  const low = priceSample(placed, 'low');
  const high = priceSample(placed, 'high');
  const middle = priceSample(placed, 'middle');
  const range = (of: (price: SamplePrice) => number): Range => {
    const values = [of(low), of(high)];
    return { low: Math.min(...values), high: Math.max(...values) };
  };
  const { architecture, chip, layout, software } = placed;
  const seconds = range(({ secondsPerSample }) => secondsPerSample);
  const mfu = range(({ pass }) => pass.mfu);
  if (json) {
    return JSON.stringify({
      clock: 'device',
      chip: chip.name,
      chips: chipCount(layout),
      seconds_per_sample: seconds,
      mfu,
      by_construction: isByConstruction(chip),
      operators: middle.operators,
    });
  }
  const { pass, operators } = middle;
  return [
    `${architecture.name} on ${chipCount(layout)} × ${chip.name}, ${software.name}: device time`,
    `Seconds per sample     ${formatRange(seconds)}`,
    `Model FLOPs (MFU)      ${formatRange(mfu, formatShare)}`,
    `One pass               ${formatNumber(1000 * pass.seconds)} ms, bound by ${pass.binds}:`,
    operatorTable(operators, pass),
    ...caveats(placed),
  ].join('\n');
}
