import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import type { GroupSpec, PhantomSpec } from '../../services/cluster/messages.ts';
import type { DrawLogprobs } from '../../services/core/sampling/drawn-token.ts';
import type { OutputLengths } from '../../services/core/sampling/output-lengths.ts';
import type { SchedulerOptions } from '../../services/core/scheduler/options.ts';
import type {
  GenerationRequest,
  RequestProgress,
  Sequence,
} from '../../services/core/scheduler/request.ts';
import { assert } from '../../services/core/support/errors.ts';
import { makePricer } from '../../services/core/timing/load-price.ts';
import { cataloguePath } from '../../services/runtime/phantom/catalogue-path.ts';
import { loadPhantom } from '../../services/runtime/phantom/load-phantom.ts';
import { placePhantom } from '../../services/runtime/phantom/place-phantom.ts';
import { WIRE_CODEC } from '../../services/sim/world/message-codec.ts';
import { makeReliableNetwork } from '../../services/sim/world/network.ts';
import { Timeline } from '../../services/sim/world/timeline.ts';
import { World } from '../../services/sim/world/world.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';

const MODEL = 'llama-3-8b';
export const END_OF_TEXT = 128_255;

export interface PhantomWorldOptions {
  readonly tp: number;
  readonly speed?: number;
  readonly kvBlocks?: number;
  readonly maxNumBatchedTokens?: number;
  readonly lengths?: OutputLengths;
  /** Virtual time that a message takes. */
  readonly delayMicros?: number;
}

/** What was told of one sample. */
export interface Told {
  readonly tokens: number[];
  readonly logprobs: (DrawLogprobs | undefined)[];
  finishReason: string | undefined;
  /** Of the events of its tokens. */
  readonly hostMicros: number[];
  readonly deviceMicros: number[];
}

/** A phantom group in virtual time, every message through the wire's codec. */
export class PhantomWorld {
  readonly world: World;
  readonly told = new Map<string, Told>();
  readonly stepMicros: number[] = [];
  /** Hears of everything that happens in the group. */
  onEvent: (event: CoordinatorEvent) => void = () => {};
  readonly #timeline = new Timeline();

  constructor(options: PhantomWorldOptions) {
    const { tp, speed = 0, kvBlocks = 4096, delayMicros = 50 } = options;
    const { maxNumBatchedTokens = 1024, lengths = { distribution: 'max', mean: 1 } } = options;
    const spec: GroupSpec & { readonly phantom: PhantomSpec } = {
      ...{ model: MODEL, precision: 'fp8', kvCacheDtype: 'auto', tensorParallel: tp },
      ...{ blockSize: 16, numGpuBlocksOverride: kvBlocks, maxNumBatchedTokens, maxNumSeqs: 64 },
      phantom: {
        ...{ chip: 'H100', software: 'trtllm-1.0' },
        tokens: { drawn: { start: 300, end: 900 }, stopTokenIds: [END_OF_TEXT], lengths },
      },
    };
    const place = { ...spec, ...spec.phantom };
    const placed = placePhantom(findArchitecture(MODEL, cataloguePath()), place);
    const limits: Partial<SchedulerOptions> = { maxNumBatchedTokens, maxModelLen: 8192 };
    this.world = new World({
      timeline: this.#timeline,
      coordinator: {
        ...{ spec, speed, vocabSize: 128_256, stepTimeoutMicros: 2e6, patienceMicros: 60e6 },
        scheduler: makeSchedulerOptions({ ...limits, stopTokenIds: [END_OF_TEXT] }),
        pricer: makePricer(placed, 'middle'),
      },
      seats: tp,
      isPidShared: false,
      shards: {
        take: (asked, rank) => ({
          loaded: loadPhantom({ ...asked, phantom: asked.phantom! }, rank),
          executor: { run: () => {} },
        }),
        give: () => {},
      },
      codec: WIRE_CODEC,
      network: makeReliableNetwork(delayMicros),
      observer: { told: (event) => this.#observe(event) },
      computeMicros: () => 1,
      loadMicros: () => 100,
    });
    this.world.start();
    this.run(() => this.world.coordinator.ready);
  }

  get nowMicros(): number {
    return this.#timeline.nowMicros;
  }

  submit(request: GenerationRequest, progress?: RequestProgress): readonly Sequence[] {
    const admission = this.world.coordinator.submit(request, progress);
    assert(admission.kind === 'queued', 'the request is queued');
    for (const sequence of admission.sequences) {
      this.told.set(nameOf(sequence), {
        ...{ tokens: [], logprobs: [], finishReason: undefined, hostMicros: [], deviceMicros: [] },
      });
    }
    return admission.sequences;
  }

  /** Submits all requests together, and runs until each has ended. */
  serve(requests: readonly GenerationRequest[]): ReadonlyMap<string, Told> {
    for (const request of requests) this.submit(request);
    this.run(() => [...this.told.values()].every((told) => told.finishReason !== undefined));
    return this.told;
  }

  run(condition: () => boolean): void {
    while (!condition()) assert(this.#timeline.advance(), 'what is waited for happens');
  }

  /** Lets a span of virtual time pass. */
  pass(durationMicros: number): void {
    const end = this.nowMicros + durationMicros;
    this.run(() => this.nowMicros >= end);
  }

  #observe(event: CoordinatorEvent): void {
    this.onEvent(event);
    if (event.kind === 'stepCompleted') this.stepMicros.push(1e6 * event.price!.seconds);
    if (event.kind !== 'token') return;
    const told = this.told.get(nameOf(event.sequence))!;
    told.tokens.push(event.drawn.token);
    told.logprobs.push(event.drawn.logprobs);
    told.finishReason = event.finishReason;
    told.hostMicros.push(this.nowMicros);
    told.deviceMicros.push(event.deviceTimes!.lastTokenMicros!);
  }
}

function nameOf({ request, choice }: Sequence): string {
  return `${request.requestId}/${choice}`;
}
