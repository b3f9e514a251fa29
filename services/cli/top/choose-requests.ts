import type { RequestRow } from './request-log.ts';
import type { SortKey, View } from './view.ts';

const VALUES: Readonly<Record<SortKey, (row: RequestRow) => number | string>> = {
  id: ({ requestId }) => requestId,
  phase: ({ phase }) => phase,
  prompt: ({ promptTokens }) => promptTokens ?? -1,
  output: ({ outputTokens }) => outputTokens,
  kv: ({ kvBlocks }) => kvBlocks,
  // The oldest is the largest.
  age: ({ beganMs }) => -beganMs,
  preemptions: ({ preemptions }) => preemptions,
};

/** The requests that pass the filter (of which what is being typed is already one), in order. */
export function chooseRequests(rows: readonly RequestRow[], view: View): readonly RequestRow[] {
  const wanted = (view.typing ?? view.filter).toLowerCase();
  const sortValueOf = VALUES[view.sortKey];
  const sign = view.isDescending ? -1 : 1;
  return rows
    .filter(({ requestId, phase }) => `${requestId} ${phase}`.toLowerCase().includes(wanted))
    .toSorted((a, b) => sign * compare(sortValueOf(a), sortValueOf(b)) || compareNames(a, b));
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareNames(a: RequestRow, b: RequestRow): number {
  return compare(a.requestId, b.requestId) || a.index - b.index;
}
