import type { SequenceStep } from '../../rpc/telemetry-types.ts';
import { type ConsoleState, STEP_POINTS } from '../console-state.ts';
import { element, Panel, panelList, setData } from '../dom.ts';
import { duration, shortId } from '../format.ts';
import { Sparkline } from '../sparkline.ts';
import { StepStrip } from './step-strip.ts';

const MAX_DOTS = 64;

/** What the last step computed, and what the steps before it were. */
export class BatchView {
  readonly #root = element('#batch');
  readonly #panel = new Panel(this.#root);
  readonly #rows = panelList('#rows', 'row');
  readonly #empty = element('#rows-empty');
  readonly #dots = element('#queue');
  readonly #strip = new StepStrip(element<SVGSVGElement>('#strip'));
  readonly #hostStep = this.#spark('hostStep');
  readonly #deviceStep = this.#spark('deviceStep');
  readonly #isOwn: (requestId: string) => boolean;

  /** `isOwn` knows the requests of this page. */
  constructor(isOwn: (requestId: string) => boolean) {
    this.#isOwn = isOwn;
  }

  draw(state: ConsoleState): void {
    this.#drawSteps(state);
    this.#drawRows(state);
    this.#drawQueue(state.queue?.waiting ?? 0);
  }

  #drawSteps({ steps }: ConsoleState): void {
    const last = steps.at(-1);
    this.#hostStep.draw(steps.map(({ beganMs, endedMs }) => endedMs - beganMs));
    this.#deviceStep.draw(steps.map(({ deviceSeconds }) => deviceSeconds));
    const scale = this.#strip.draw(steps);
    if (last === undefined) return;
    const tokens = last.prefillTokens + last.decodeTokens;
    setData(this.#root, 'endedMs', String(last.endedMs));
    this.#panel.texts({
      step: `step ${last.step} · ${last.sequences} sequences · ${tokens} tokens`,
      stripScale: `at most ${scale}`,
      lastHost: duration(last.endedMs - last.beganMs),
      lastDevice: last.deviceSeconds === 0 ? '–' : duration(last.deviceSeconds * 1000),
    });
  }

  #drawRows({ batch, snapshot }: ConsoleState): void {
    const blockSize = snapshot?.load.blockSize ?? 1;
    const longest = Math.max(1, ...batch.map(contextOf));
    this.#empty.hidden = batch.length > 0;
    this.#rows.fill(batch, (row, sequence) => {
      const context = contextOf(sequence);
      const { requestId, index, phase, tokens } = sequence;
      row.root.classList.toggle('own', this.#isOwn(requestId));
      row.field('id').title = requestId;
      setData(row.field('phase'), 'kind', phase);
      row.texts({
        ...{ id: shortId(requestId, index), phase },
        tokens: String(tokens),
        context: String(context),
        blocks: String(Math.ceil(context / blockSize)),
      });
      row.bar('context', context / longest);
    });
  }

  #drawQueue(waiting: number): void {
    this.#panel.texts({ queue: String(waiting) });
    const dots = Math.min(MAX_DOTS, waiting);
    while (this.#dots.childElementCount > dots) this.#dots.lastElementChild!.remove();
    while (this.#dots.childElementCount < dots) this.#dots.append(document.createElement('i'));
  }

  #spark(name: string): Sparkline {
    const svg = element<SVGSVGElement>(`[data-spark="${name}"]`, this.#root);
    return new Sparkline(svg, STEP_POINTS);
  }
}

function contextOf({ start, tokens }: SequenceStep): number {
  return start + tokens;
}
