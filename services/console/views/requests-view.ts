import type { ConsoleState } from '../console-state.ts';
import { element, type Panel, panelList, setData } from '../dom.ts';
import { duration, shortId } from '../format.ts';
import { beganMs, endedMs, type RequestRow } from '../request-book.ts';

const MAX_ROWS = 20;
const LEAST_WINDOW_MS = 2_000;
const MOST_WINDOW_MS = 60_000;

/** The window of host time that the lanes show. */
interface Axis {
  readonly fromMs: number;
  readonly spanMs: number;
  readonly nowMs: number;
}

/** The latest requests as lanes over time: queue, prefill, decode, and when they were out of the batch. */
export class RequestsView {
  readonly #rows = panelList('#requests', 'request');
  readonly #empty = element('#requests-empty');
  readonly #axis = element('#axis');
  readonly #isOwn: (requestId: string) => boolean;

  constructor(isOwn: (requestId: string) => boolean) {
    this.#isOwn = isOwn;
  }

  draw(state: ConsoleState): void {
    const rows = state.requests.rows.slice(-MAX_ROWS).reverse();
    this.#empty.hidden = rows.length > 0;
    const axis = axisOf(rows, state.hostNowMs);
    this.#axis.textContent =
      rows.length === 0 ? '' : `last ${duration(axis.spanMs)}, now at the right`;
    this.#rows.fill(rows, (panel, row) => this.#drawRow(panel, row, axis));
  }

  #drawRow(panel: Panel, row: RequestRow, axis: Axis): void {
    const { requestId, index, ended, isOpen, phase } = row;
    const end = ended?.reason ?? (isOpen ? phase : 'over');
    panel.root.classList.toggle('own', this.#isOwn(requestId));
    panel.field('id').title = requestId;
    setData(panel.field('end'), 'kind', end);
    const { queue, prefill, decode } = partsOf(row, axis.nowMs);
    panel.texts({
      ...{ id: shortId(requestId, index), end: preempted(end, ended?.preemptions ?? 0) },
      queue: queue === undefined ? '…' : duration(queue),
      prefill: duration(prefill),
      decode: duration(decode),
      tokens: tokensOf(row),
    });
    this.#drawLane(panel, row, axis);
  }

  #drawLane(panel: Panel, row: RequestRow, axis: Axis): void {
    const { queue = 0, prefill, decode } = partsOf(row, axis.nowMs);
    const span = (name: string, fromMs: number, lengthMs: number): void => {
      const begin = Math.max(0, fromMs - axis.fromMs);
      const end = Math.max(0, fromMs + lengthMs - axis.fromMs);
      panel.bar(name, (end - begin) / axis.spanMs, begin / axis.spanMs);
    };
    const from = beganMs(row);
    span('queued', from, queue);
    span('prefill', from + queue, prefill);
    span('decode', from + queue + prefill, decode);
    const pause = row.pauses.at(-1);
    const until = Math.min(pause?.toMs ?? 0, endedMs(row, axis.nowMs));
    span(
      'paused',
      pause?.fromMs ?? axis.fromMs,
      pause === undefined ? 0 : Math.max(0, until - pause.fromMs),
    );
  }
}

function axisOf(rows: readonly RequestRow[], nowMs: number): Axis {
  const earliest = Math.min(nowMs, ...rows.map(beganMs));
  const spanMs = Math.min(MOST_WINDOW_MS, Math.max(LEAST_WINDOW_MS, nowMs - earliest));
  return { fromMs: nowMs - spanMs, spanMs, nowMs };
}

/** The queue of a request is told at its end alone. */
function partsOf(
  row: RequestRow,
  nowMs: number,
): { readonly queue: number | undefined; readonly prefill: number; readonly decode: number } {
  const { ended, firstMs, firstTokenMs } = row;
  if (ended !== undefined) {
    return { queue: ended.queueMs, prefill: ended.prefillMs, decode: ended.decodeMs };
  }
  const end = endedMs(row, nowMs);
  const first = firstTokenMs ?? end;
  return { queue: undefined, prefill: first - firstMs, decode: Math.max(0, end - first) };
}

function tokensOf({ ended }: RequestRow): string {
  if (ended === undefined) return '…';
  const { promptTokens, cachedTokens, generatedTokens } = ended;
  const cached = cachedTokens > 0 ? ` (${cachedTokens} cached)` : '';
  return `${promptTokens}${cached} + ${generatedTokens}`;
}

function preempted(end: string, times: number): string {
  return times === 0 ? end : `${end}, preempted ${times}×`;
}
