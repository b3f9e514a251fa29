import { meanTimeError } from '../mean-error.ts';
import { between, fit, type KernelFit, MOST_BURST_ROWS } from './kernel-fit.ts';

/** Products in both formats at once, since they share the launch and the memory. */
export const fitProducts: KernelFit = (start, { products }) => {
  const rows = products.filter(({ rows }) => rows <= MOST_BURST_ROWS);
  return fit(
    [
      between(0.6, 0.95),
      between(0, 10),
      between(0.4, 0.95),
      between(0, 2),
      between(0.4, 0.95),
      between(0, 2),
    ],
    ([memoryEfficiency, overheadMicros, narrow, narrowEpilogue, wide, wideEpilogue]) => ({
      ...start,
      memoryEfficiency: memoryEfficiency!,
      gemm: {
        narrow: {
          overheadMicros: overheadMicros!,
          computeEfficiency: narrow!,
          epilogueShare: narrowEpilogue!,
          quantisationPasses: 0,
        },
        wide: {
          overheadMicros: overheadMicros!,
          computeEfficiency: wide!,
          epilogueShare: wideEpilogue!,
          quantisationPasses: 0,
        },
      },
    }),
    (timer) => meanTimeError(rows, (row) => timer.gemm(row)),
    0,
  );
};

/** Products with the matrices of experts. */
export const fitGrouped: KernelFit = (start, { grouped }) =>
  fit(
    [between(0, 30), between(0.3, 0.95), between(0.3, 0.95)],
    ([overheadMicros, narrow, wide]) => ({
      ...start,
      groupedGemm: {
        overheadMicros: overheadMicros!,
        computeEfficiency: { narrow: narrow!, wide: wide! },
      },
    }),
    (timer) => meanTimeError(grouped, (row) => timer.grouped(row)),
    0,
  );

/** What products take longer whose inputs are quantised first: the table of an engine that does that. */
export const fitQuantisation: KernelFit = (start, { gemms }) => {
  const rows = gemms.filter(({ format, rows }) => format === 'fp8' && rows <= MOST_BURST_ROWS);
  return fit(
    [between(0, 40), between(0, 6)],
    ([overheadMicros, quantisationPasses]) => ({
      ...start,
      gemm: {
        ...start.gemm,
        narrow: {
          ...start.gemm.narrow,
          overheadMicros: overheadMicros!,
          quantisationPasses: quantisationPasses!,
        },
      },
    }),
    (timer) => meanTimeError(rows, (row) => timer.gemm(row)),
  );
};
