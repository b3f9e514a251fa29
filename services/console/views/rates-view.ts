import { type ConsoleState, RATE_POINTS } from '../console-state.ts';
import { element, Panel } from '../dom.ts';
import { count, digits, percent } from '../format.ts';
import { Sparkline } from '../sparkline.ts';

/** Chips whose speed is a claim: what the device clock says of them is what was put in. */
const CLAIMED_CHIP = /\bSohu\b/;

/** Rates on both clocks, each named, and the load. */
export class RatesView {
  readonly #root = element('#rates');
  readonly #panel = new Panel(this.#root);
  readonly #meter = element<HTMLMeterElement>('[data-meter="kv"]', this.#root);
  readonly #generated = spark(this.#root, 'generated');
  readonly #deviceGenerated = spark(this.#root, 'deviceGenerated');

  draw(state: ConsoleState): void {
    const { snapshot } = state;
    if (snapshot === undefined) return;
    const { rates } = snapshot;
    const name = snapshot.chips[0]?.name ?? '';
    this.#panel.texts({
      generated: count(rates.generatedTokensPerSecond),
      prompt: count(rates.promptTokensPerSecond),
      stepMs: digits(rates.stepMs),
      stepsPerSecond: digits(rates.stepsPerSecond),
      deviceGenerated: count(rates.deviceGeneratedTokensPerSecond),
      devicePrompt: count(rates.devicePromptTokensPerSecond),
      deviceStep: digits(rates.deviceStepMs * 1000),
      peak: count(Math.max(0, ...state.generated.values)),
      devicePeak: count(Math.max(0, ...state.deviceGenerated.values)),
      binds: state.steps.at(-1)?.binds || '–',
      host:
        snapshot.weights === 'real'
          ? 'measured: the CPUs that compute the tokens'
          : 'measured: phantom chips compute no tokens',
      claim: CLAIMED_CHIP.test(name)
        ? 'input, by construction: Sohu as claimed'
        : `modelled: ${name}`,
    });
    this.#drawLoad(state);
    this.#generated.draw(state.generated.values);
    this.#deviceGenerated.draw(state.deviceGenerated.values);
  }

  #drawLoad({ snapshot, queue }: ConsoleState): void {
    const { load } = snapshot!;
    const { running, waiting, kvBlocksUsed, kvBlocks } = queue ?? load;
    const share = kvBlocks === 0 ? 0 : kvBlocksUsed / kvBlocks;
    const { prefixCacheQueries, prefixCacheHits } = load;
    this.#panel.texts({
      running: String(running),
      maxRunning: `of ${load.maxNumSeqs}`,
      waiting: String(waiting),
      preemptions: count(load.preemptions),
      hitRate: prefixCacheQueries === 0 ? '–' : percent(prefixCacheHits / prefixCacheQueries),
      kv: `${kvBlocksUsed} of ${kvBlocks} (${percent(share)})`,
    });
    this.#panel.bar('kv', share);
    this.#meter.value = share;
  }
}

function spark(root: ParentNode, name: string): Sparkline {
  return new Sparkline(element<SVGSVGElement>(`[data-spark="${name}"]`, root), RATE_POINTS);
}
