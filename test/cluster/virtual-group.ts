import { Chip } from '../../services/cluster/chip.ts';
import type { ChipEffects, LoadedShard } from '../../services/cluster/chip-effects.ts';
import { Coordinator } from '../../services/cluster/coordinator.ts';
import type { CoordinatorEvent } from '../../services/cluster/coordinator-effects.ts';
import type { DropReason } from '../../services/cluster/exchange-runner.ts';
import type { GroupSpec } from '../../services/cluster/messages.ts';
import type { Destination } from '../../services/core/collectives/frame.ts';
import type { ModelConfig } from '../../services/core/model/config.ts';
import type { Precision } from '../../services/core/model/precision.ts';
import type { DrawLogprobs } from '../../services/core/sampling/drawn-token.ts';
import type { Sequence } from '../../services/core/scheduler/request.ts';
import { assert } from '../../services/core/support/errors.ts';
import { createWasmKernels } from '../../services/kernels/wasm.ts';
import { loadShard } from '../../services/runtime/chip/shard-loading.ts';
import { ShardExecutor } from '../../services/shard/executor.ts';
import { allRows } from '../../services/shard/shard.ts';
import { decodeCommand, encodeCommand } from '../../services/wire/command-codec.ts';
import { decodeFrame, encodeFrame } from '../../services/wire/frame-codec.ts';
import { decodeReport, encodeReport } from '../../services/wire/report-codec.ts';
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

interface Shard {
  readonly loaded: LoadedShard;
  readonly executor: ShardExecutor;
}

/**
 * The coordinator and the chips as state machines in virtual time over a network that the test chooses: hours of
 * timeouts pass in milliseconds, and equal inputs take an equal course.
 */
export class VirtualGroup {
  readonly coordinator: Coordinator;
  readonly chips: Chip[];
  network: Network = RELIABLE;
  /** How many commands of each kind went out. */
  readonly commands = { join: 0, step: 0, logits: 0 };
  /** Why steps were given up. */
  readonly stepFailures: string[] = [];
  #nextPid = 1;
  readonly #shards: readonly Shard[];
  readonly #outcomes = new Map<Sequence, Outcome>();
  /** Sorted by time from last to first. */
  #events: { readonly atMicros: number; readonly action: () => void }[] = [];
  #nowMicros = 0;

  private constructor(spec: GroupSpec, config: ModelConfig, shards: readonly Shard[]) {
    this.#shards = shards;
    const { maxNumSeqs, maxNumBatchedTokens, blockSize } = spec;
    const limits = { maxNumSeqs, maxNumBatchedTokens, blockSize, maxModelLen: config.maxPositions };
    const scheduler = makeSchedulerOptions(limits);
    this.coordinator = new Coordinator(
      { spec, scheduler, vocabSize: config.vocabSize, stepTimeoutMicros: 10e6 },
      {
        command: (command) => {
          this.commands[command.kind]++;
          const data = encodeCommand(command);
          for (const { rank } of this.chips) {
            this.#arrive(this.network.command(data, rank), (bytes) => {
              const decoded = decodeCommand(bytes);
              if (decoded !== undefined) this.chips[rank]!.receiveCommand(decoded);
            });
          }
        },
        event: (event) => this.#observe(event),
        setTick: (delay) => this.#after(delay, () => this.coordinator.tick()),
        nowMicros: () => this.#nowMicros,
      },
    );
    this.chips = shards.map((_, rank) => this.#makeChip(rank));
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
    const shards: Shard[] = [];
    for (let rank = 0; rank < options.tp; rank++) {
      const { loaded, memory } = await loadShard({ spec, rank, threads: 1, onProgress: () => {} });
      const executor = new ShardExecutor(loaded.shard.layout, createWasmKernels(memory));
      shards.push({ loaded, executor });
    }
    const { config } = shards[0]!.loaded.shard.layout.plan;
    const group = new VirtualGroup(spec, config, shards);
    group.coordinator.tick();
    for (const chip of group.chips) chip.tick();
    group.run(() => group.coordinator.ready);
    return group;
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
      const event = this.#events.pop();
      assert(event !== undefined && count < MAX_EVENTS, 'what is waited for happens');
      this.#nowMicros = event.atMicros;
      event.action();
    }
  }

  /** Lets a span of virtual time pass. */
  pass(durationMicros: number): void {
    const end = this.#nowMicros + durationMicros;
    this.run(() => this.#nowMicros >= end);
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
    this.chips[rank] = this.#makeChip(rank);
    this.chips[rank].tick();
  }

  #makeChip(rank: number): Chip {
    const chip: Chip = new Chip(
      { rank, pid: this.#nextPid++, metricsAddress: '' },
      this.#effectsOf(rank, () => (this.chips[rank] === chip ? chip : undefined)),
    );
    return chip;
  }

  /** `self` is undefined once another chip has taken its place. */
  #effectsOf(rank: number, self: () => Chip | undefined): ChipEffects {
    const { loaded, executor } = this.#shards[rank]!;
    return {
      report: (report) => {
        this.#arrive(this.network.report(encodeReport(report), rank), (bytes) => {
          const decoded = decodeReport(bytes);
          if (decoded !== undefined) this.coordinator.receiveReport(decoded);
        });
      },
      sendFrame: (frame, destination) => this.#sendFrame(encodeFrame(frame), rank, destination),
      load: () => this.#after(COMPUTE_MICROS, () => self()?.shardLoaded(loaded)),
      compute: ({ segment, layer, rows }) => {
        executor.run(segment, layer, allRows(rows));
        this.#after(COMPUTE_MICROS, () => self()?.computed());
      },
      setTick: (delay) => this.#after(delay, () => self()?.tick()),
      nowMicros: () => this.#nowMicros,
    };
  }

  #sendFrame(data: Uint8Array, source: number, destination: Destination): number {
    for (const { rank } of this.chips) {
      if (destination === 'all' ? rank === source : rank !== destination) continue;
      this.#arrive(this.network.frame(data, { source, destination: rank }), (bytes) => {
        const chip = this.chips[rank]!;
        const decoded = decodeFrame(bytes);
        if (decoded.kind === 'frame') chip.receiveFrame(decoded.frame);
        else chip.meter.dropped(decoded.kind);
      });
    }
    return data.length;
  }

  #arrive(arrivals: readonly Arrival[], receive: (data: Uint8Array) => void): void {
    for (const { data, delayMicros } of arrivals) {
      const copy = new Uint8Array(data);
      this.#after(delayMicros, () => receive(copy));
    }
  }

  #after(delayMicros: number, action: () => void): void {
    const atMicros = this.#nowMicros + delayMicros;
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.atMicros > atMicros) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { atMicros, action });
  }

  #observe(event: CoordinatorEvent): void {
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
