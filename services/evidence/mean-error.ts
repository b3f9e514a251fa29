/** Mean of |ln(predicted / measured)|: a relative error that treats both directions alike. */
export function meanError<T>(
  rows: readonly T[],
  predict: (row: T) => number,
  measured: (row: T) => number,
): number {
  const sum = rows.reduce(
    (total, row) => total + Math.abs(Math.log(predict(row) / measured(row))),
    0,
  );
  return sum / rows.length;
}

/** The same of rows that were timed. */
export function meanTimeError<T extends { readonly seconds: number }>(
  rows: readonly T[],
  predict: (row: T) => number,
): number {
  return meanError(rows, predict, ({ seconds }) => seconds);
}
