/** A parameter to be fitted, with its bounds. */
export interface Parameter {
  readonly start: number;
  readonly low: number;
  readonly high: number;
}

const FIRST_STEP = 0.25;
const LAST_STEP = 1e-5;
const MAX_ROUNDS = 2000;

/**
 * Parameters at which a loss is least, by pattern search: one parameter after the other is moved by a share
 * of its range while that helps, then the share is halved. Needs no derivatives and no random
 * numbers, so equal data give equal parameters.
 */
export function minimize(
  loss: (values: readonly number[]) => number,
  parameters: readonly Parameter[],
): readonly number[] {
  let values = parameters.map(({ start }) => start);
  let least = loss(values);
  let step = FIRST_STEP;
  for (let round = 0; round < MAX_ROUNDS && step > LAST_STEP; round++) {
    const next = bestMove(loss, parameters, { values, step, least });
    if (next === undefined) step /= 2;
    else ({ values, least } = next);
  }
  return values;
}

/** The best of all single moves by a step; undefined where none lowers the loss. */
function bestMove(
  loss: (values: readonly number[]) => number,
  parameters: readonly Parameter[],
  at: { readonly values: readonly number[]; readonly step: number; readonly least: number },
): { values: number[]; least: number } | undefined {
  let best: { values: number[]; least: number } | undefined;
  for (const [index, { low, high }] of parameters.entries()) {
    for (const sign of [-1, 1]) {
      const moved = at.values[index]! + sign * at.step * (high - low);
      const values = at.values.with(index, Math.min(high, Math.max(low, moved)));
      const found = loss(values);
      if (found < (best?.least ?? at.least)) best = { values, least: found };
    }
  }
  return best;
}
