import type { Chip } from '../../services/cluster/chip.ts';
import type { Coordinator } from '../../services/cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import type { DropReason } from '../../services/cluster/exchange-runner.ts';
import type { GroupSpec } from '../../services/cluster/messages.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import type { Precision } from '../../services/core/model/precision.ts';
import type { DrawLogprobs } from '../../services/core/sampling/drawn-token.ts';
import type { Sequence } from '../../services/core/scheduler/request.ts';
import { assert } from '../../services/core/support/errors.ts';
import { createWasmKernels } from '../../services/kernels/wasm.ts';
import { loadShard } from '../../services/runtime/chip/shard-loading.ts';
import { ShardExecutor } from '../../services/shard/executor.ts';
import type { Shard } from '../../services/shard/shard.ts';
import { WIRE_CODEC } from '../../services/sim/world/message-codec.ts';
import type { Letter, Network as WorldNetwork } from '../../services/sim/world/network.ts';
import type { ShardInstance } from '../../services/sim/world/shard-source.ts';
import { Timeline } from '../../services/sim/world/timeline.ts';
import { World } from '../../services/sim/world/world.ts';
import { makeGenerationRequest } from '../support/generation-request.ts';
import type { GenerateOptions } from '../support/memory-cluster.ts';
import { makeSchedulerOptions } from '../support/scheduler-options.ts';

/** Bytes that arrive, and when. */
export interface Arrival {
  readonly data: Uint8Array;
  readonly delayMicros: number;
}

/** What becomes of messages on their way: nothing arrives, or something, perhaps several times. */
export interface Network {
  frame(
    data: Uint8Array,
    route: { readonly source: number; readonly destination: number },
  ): Arrival[];
  command(data: Uint8Array, rank: number): Arrival[];
  report(data: Uint8Array, rank: number): Arrival[];
}

const DELAY_MICROS = 50;
const COMPUTE_MICROS = 100;
const MAX_EVENTS = 2_000_000;

export const RELIABLE: Network = {
  frame: (data) => [{ data, delayMicros: DELAY_MICROS }],
  command: (data) => [{ data, delayMicros: DELAY_MICROS }],
  report: (data) => [{ data, delayMicros: DELAY_MICROS }],
};

/** A request's end: its tokens, or why there are no more. */
export interface Outcome {
  readonly tokens: number[];
  readonly logprobs: (DrawLogprobs | undefined)[];
  failure: string | undefined;
  done: boolean;
}

export interface VirtualGroupOptions {
  readonly model: string;
  readonly tp: number;
  readonly precision?: Precision;
}

/**
 * A simulated world around a checkpoint's shards, over a network of bytes that the test chooses: hours of timeouts
 * pass in milliseconds, and equal inputs take an equal course.
 */
export class VirtualGroup {
  network: Network = RELIABLE;
  /** Hears of everything that happens in the group. */
  onEvent: (event: CoordinatorEvent) => void = () => {};
  /** How many commands of each kind went out. */
  readonly commands = { join: 0, heartbeat: 0, step: 0, logits: 0 };
  /** Why steps were given up. */
  readonly stepFailures: string[] = [];
  readonly #world: World;
  readonly #outcomes = new Map<Sequence, Outcome>();

  private constructor(spec: GroupSpec, config: ModelConfig, shards: readonly ShardInstance[]) {
    const { maxNumSeqs, maxNumBatchedTokens, blockSize } = spec;
    const limits = { maxNumSeqs, maxNumBatchedTokens, blockSize, maxModelLen: config.maxPositions };
    const scheduler = makeSchedulerOptions(limits);
    this.#world = new World({
      timeline: new Timeline(),
      coordinator: {
        ...{ spec, scheduler, vocabSize: config.vocabSize },
        stepTimeoutMicros: 10e6,
        patienceMicros: 60e6,
      },
      seats: shards.length,
      isPidShared: false,
      shards: { take: (_, rank) => shards[rank]!, give: () => {} },
      codec: WIRE_CODEC,
      network: carryBytes(() => this.network),
      observer: {
        commanded: ({ kind }) => this.commands[kind]++,
        told: (event) => this.#observe(event),
      },
      computeMicros: () => COMPUTE_MICROS,
      loadMicros: () => COMPUTE_MICROS,
    });
  }

  /** Loads the shards and forms the group. */
  static async start(options: VirtualGroupOptions): Promise<VirtualGroup> {
    const spec: GroupSpec = {
      model: options.model,
      precision: options.precision ?? 'f32',
      kvCacheDtype: 'auto',
      tensorParallel: options.tp,
      blockSize: 16,
      numGpuBlocksOverride: 64,
      maxNumBatchedTokens: 64,
      maxNumSeqs: 16,
    };
    const shards: ShardInstance[] = [];
    for (let rank = 0; rank < options.tp; rank++) {
      const { loaded, memory } = await loadShard({ spec, rank, threads: 1, onProgress: () => {} });
      const executor = new ShardExecutor(loaded.shard.layout, createWasmKernels(memory));
      shards.push({ loaded, executor });
    }
    const { config } = (shards[0]!.loaded.shard as Shard).layout.plan;
    const group = new VirtualGroup(spec, config, shards);
    group.#world.start();
    group.run(() => group.coordinator.ready);
    return group;
  }

  get coordinator(): Coordinator {
    return this.#world.coordinator;
  }

  get chips(): readonly Chip[] {
    return this.#world.chips;
  }

  /** Submits all requests and runs until each has its tokens or has failed. */
  generate(requests: readonly GenerateOptions[]): Outcome[] {
    const outcomes = requests.map((request) => this.submit(request).outcome);
    this.run(() => outcomes.every(({ done }) => done));
    return outcomes;
  }

  /** Submits a request, whose outcome changes as the group runs. */
  submit(request: GenerateOptions): { readonly sequence: Sequence; readonly outcome: Outcome } {
    const admission = this.coordinator.submit(
      makeGenerationRequest({
        promptTokens: request.prompt,
        maxTokens: request.maxTokens,
        sampling: request.sampling ?? {},
        ignoreEos: true,
      }),
    );
    assert(admission.kind === 'queued', 'the request is queued');
    const outcome: Outcome = { tokens: [], logprobs: [], failure: undefined, done: false };
    const sequence = admission.sequences[0]!;
    this.#outcomes.set(sequence, outcome);
    return { sequence, outcome };
  }

  /** Lets events happen until the condition holds. */
  run(condition: () => boolean): void {
    for (let count = 0; !condition(); count++) {
      assert(count < MAX_EVENTS && this.#world.timeline.advance(), 'what is waited for happens');
    }
  }

  /** Lets a span of virtual time pass. */
  pass(durationMicros: number): void {
    const { timeline } = this.#world;
    const end = timeline.nowMicros + durationMicros;
    this.run(() => timeline.nowMicros >= end);
  }

  /** Frames that the chips did not use. */
  dropsOf(...reasons: DropReason[]): number {
    const counts = this.chips.flatMap(({ meter }) =>
      reasons.map((reason) => meter.drops.get(reason) ?? 0),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** A chip starts anew, and has forgotten everything. */
  restart(rank: number): void {
    this.#world.restartChip(rank);
  }

  #observe(event: CoordinatorEvent): void {
    this.onEvent(event);
    if (event.kind === 'stepFailed') this.stepFailures.push(event.message);
    if (event.kind !== 'token' && event.kind !== 'requestFailed') return;
    const outcome = this.#outcomes.get(event.sequence)!;
    if (event.kind === 'token') {
      outcome.tokens.push(event.drawn.token);
      outcome.logprobs.push(event.drawn.logprobs);
    } else outcome.failure = event.message;
    outcome.done = event.kind === 'requestFailed' || event.finishReason !== undefined;
  }
}

/** The world's network, each kind of message by a function of its own. */
function carryBytes(network: () => Network): WorldNetwork {
  const arrivals = ({ kind, from, to, data }: Letter): Arrival[] => {
    if (kind === 'command') return network().command(data!, to as number);
    if (kind === 'report') return network().report(data!, from as number);
    return network().frame(data!, { source: from as number, destination: to as number });
  };
  return {
    carry: (letter) =>
      arrivals(letter).map(({ data, delayMicros }) => ({
        ...{ delayMicros, data: new Uint8Array(data), isDamaged: false },
      })),
  };
}
