import type { MatmulArgs } from '../kernels.ts';
import { PANEL_WIDTH, packedStart } from '../packing.ts';
import { type MemoryViews, weightReader } from './views.ts';

export function matmul(views: MemoryViews, args: MatmulArgs): void {
  const { floats } = views;
  const { rows, inner, columns, rowScales, columnScales } = args;
  const weight = weightReader(views, { address: args.weights, format: args.format });
  for (let row = 0; row < rows; row++) {
    const x = args.x / 4 + row * args.xStride;
    const out = args.out / 4 + row * args.outStride;
    const rowScale = rowScales === 0 ? 1 : floats[rowScales / 4 + row]!;
    for (let column = 0; column < columns; column++) {
      let index = packedStart(column, args);
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        sum = Math.fround(sum + Math.fround(floats[x + k]! * weight(index)));
        index += PANEL_WIDTH;
      }
      const columnScale = columnScales === 0 ? 1 : floats[columnScales / 4 + column]!;
      floats[out + column] = Math.fround(sum * rowScale) * columnScale;
    }
  }
}
