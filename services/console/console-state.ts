import type { ClusterSnapshot, SequenceStep } from '../rpc/telemetry-types.ts';
import type { ConsoleEvent, StepBar, StepsEvent } from './events.ts';
import { Journal } from './journal.ts';
import { RequestBook } from './request-book.ts';
import { History } from './sparkline.ts';

/** Two a second: a minute. */
export const RATE_POINTS = 120;
export const STEP_POINTS = 96;

/** `lost`: the gateway is away; `away`: it answers, but no engine does; `locked`: it wants a key. */
export type Link = 'connecting' | 'live' | 'away' | 'lost' | 'locked';

/** All that the page knows; views read it and change nothing. */
export class ConsoleState {
  link: Link = 'connecting';
  /** Why nothing is live. */
  trouble = '';
  model = '';
  snapshot: ClusterSnapshot | undefined;
  engines = 1;
  readonly steps: StepBar[] = [];
  batch: readonly SequenceStep[] = [];
  /** As the last step left them, which is fresher than the snapshot. */
  queue: Pick<StepsEvent, 'running' | 'waiting' | 'kvBlocksUsed' | 'kvBlocks'> | undefined;
  readonly requests = new RequestBook();
  readonly journal = new Journal();
  readonly generated = new History(RATE_POINTS);
  readonly deviceGenerated = new History(RATE_POINTS);
  failed = 0;
  lost = 0;
  /** What the host's clock is ahead of the browser's, in ms. */
  #clockMs = 0;

  /** The host's time now, since 1970. */
  get hostNowMs(): number {
    return Date.now() + this.#clockMs;
  }

  take(event: ConsoleEvent): void {
    if (event.kind === 'hello') {
      this.model = event.model;
      for (const sample of event.ended) this.requests.end(sample);
    } else if (event.kind === 'snapshot') this.#takeSnapshot(event.snapshot, event.engines);
    else if (event.kind === 'steps') this.#takeSteps(event);
    else if (event.kind === 'lost') this.lost += event.steps;
    else this.setLink('away', event.message);
  }

  setLink(link: Link, trouble = ''): void {
    this.trouble = trouble;
    if (link === this.link) return;
    this.journal.link(link, this.link, trouble);
    this.link = link;
    if (link !== 'live') this.#nothingRuns();
  }

  #takeSnapshot(snapshot: ClusterSnapshot, engines: number): void {
    this.#clockMs = snapshot.timestampMs - Date.now();
    this.journal.snapshot(this.snapshot, snapshot);
    const isOther = snapshot.uptimeMs < (this.snapshot?.uptimeMs ?? 0);
    if (isOther) this.steps.length = 0;
    this.snapshot = snapshot;
    this.engines = engines;
    this.setLink('live');
    this.generated.add(snapshot.rates.generatedTokensPerSecond);
    this.deviceGenerated.add(snapshot.rates.deviceGeneratedTokensPerSecond);
    const { running, waiting, kvBlocksUsed, kvBlocks } = snapshot.load;
    this.queue = { running, waiting, kvBlocksUsed, kvBlocks };
    if (running + waiting === 0) this.#nothingRuns();
  }

  #takeSteps(event: StepsEvent): void {
    this.steps.push(...event.steps);
    this.steps.splice(0, this.steps.length - STEP_POINTS);
    const { running, waiting, kvBlocksUsed, kvBlocks } = event;
    this.queue = { running, waiting, kvBlocksUsed, kvBlocks };
    this.batch = running === 0 ? [] : event.batch;
    this.lost += event.lost;
    this.failed += event.ended.filter(({ reason }) => reason === 'error').length;
    this.requests.take(event);
    if (event.preemptions > 0) this.journal.preempted(event.preemptions);
  }

  #nothingRuns(): void {
    this.batch = [];
    this.requests.closeAll();
  }
}
