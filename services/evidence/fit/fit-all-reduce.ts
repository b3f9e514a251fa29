import {
  type KernelParameters,
  MEASURED_GROUPS,
  type MeasuredGroup,
} from '../../core/timing/calibration-model.ts';
import { meanTimeError } from '../mean-error.ts';
import type { Parameter } from '../minimize.ts';
import { between, fit, type KernelFit, type KernelMeasurements } from './kernel-fit.ts';

/** The ways to all-reduce. */
export const fitAllReduce: KernelFit = (start, measured) =>
  MEASURED_GROUPS.reduce((kernels, chips) => fitGroup(kernels, measured, chips), start);

/** Algorithms differ with the size of the group, so that each has parameters of its own. */
function fitGroup(
  start: KernelParameters,
  { allReduces }: KernelMeasurements,
  chips: MeasuredGroup,
): KernelParameters {
  const rows = allReduces.filter(({ tp }) => tp === chips);
  const latency = (high: number): Parameter => between(0, high);
  const efficiency = between(0.4, 0.95);
  return fit(
    [latency(20), efficiency, latency(30), efficiency, latency(150), efficiency],
    ([a, b, c, d, e, f]) => ({
      ...start,
      allReduce: {
        ...start.allReduce,
        [chips]: {
          oneShot: { latencyMicros: a!, efficiency: b! },
          twoShot: { latencyMicros: c!, efficiency: d! },
          pipelined: { latencyMicros: e!, efficiency: f! },
        },
      },
    }),
    (timer) => meanTimeError(rows, (row) => timer.allReduce(row)),
  );
}
