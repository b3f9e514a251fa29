import type { KernelParameters } from '../../core/timing/calibration-model.ts';
import type { ChipMeasurements } from '../chip-measurements.ts';
import type { MeasuredOperators } from '../measured-operators.ts';
import { minimize, type Parameter } from '../minimize.ts';
import { makeOperatorTimer, type OperatorTimer } from '../operator-timer.ts';

/** Tables that kernels are fitted on. */
export type KernelMeasurements = MeasuredOperators & ChipMeasurements;

/** Fits the parameters of one kind of kernel; the others stay. */
export type KernelFit = (
  kernels: KernelParameters,
  measured: KernelMeasurements,
) => KernelParameters;

/** Products of more rows take long enough for the power limit to slow them. */
export const MOST_BURST_ROWS = 8192;

/** The parameters of a kind of kernel at which its error is least; `quantisationShare` as for `makeOperatorTimer`. */
export function fit(
  parameters: readonly Parameter[],
  build: (values: readonly number[]) => KernelParameters,
  error: (timer: OperatorTimer, kernels: KernelParameters) => number,
  quantisationShare: 0 | 1 = 1,
): KernelParameters {
  const errorOf = (kernels: KernelParameters): number =>
    error(makeOperatorTimer(kernels, quantisationShare), kernels);
  return build(minimize((values) => errorOf(build(values)), parameters));
}

/** A parameter between two bounds. */
export function between(low: number, high: number): Parameter {
  return { low, high, start: (low + high) / 2 };
}
