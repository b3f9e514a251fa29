import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { GroupSpec } from '../../cluster/messages.ts';
import type { ModelConfig } from '../../core/model/config.ts';
import type { SchedulerOptions } from '../../core/scheduler/options.ts';
import type { FinishReason, GenerationRequest } from '../../core/scheduler/request.ts';
import { digestFloats } from '../../core/support/digest.ts';
import { assert } from '../../core/support/errors.ts';
import type { Shard } from '../../shard/shard.ts';
import { makeReliableNetwork } from './network.ts';
import { hashPrefix } from './prefix-hash.ts';
import type { ShardSource } from './shard-source.ts';
import { Timeline } from './timeline.ts';
import { World } from './world.ts';

/** What one sample of a request gives where nothing goes wrong. */
export interface UndisturbedSample {
  readonly tokens: readonly number[];
  readonly finishReason: FinishReason;
}

export interface UndisturbedOptions {
  readonly config: ModelConfig;
  /** With one chip. */
  readonly spec: GroupSpec;
  readonly scheduler: Omit<SchedulerOptions, 'kvBlocks'>;
  readonly shards: ShardSource;
}

/**
 * The oracle of worlds: every request alone, a token at a time, on one chip where nothing goes
 * wrong. By the numeric contract its tokens and activations are those of any other course.
 */
export class Undisturbed {
  readonly #options: UndisturbedOptions;
  readonly #samples = new Map<string, readonly UndisturbedSample[]>();
  readonly #digests = new Map<number, number>();

  constructor(options: UndisturbedOptions) {
    this.#options = options;
  }

  /** The digest of the last activations of every token that was computed, by its prefix. */
  get digests(): ReadonlyMap<number, number> {
    return this.#digests;
  }

  /** The samples of a request, by choice; those of one that is known cost nothing. */
  samplesOf(request: GenerationRequest): readonly UndisturbedSample[] {
    const known = this.#samples.get(request.requestId);
    if (known !== undefined) return known;
    const samples = Array.from({ length: request.n }, (_, choice) => this.#run(request, choice));
    this.#samples.set(request.requestId, samples);
    return samples;
  }

  #run(request: GenerationRequest, choice: number): UndisturbedSample {
    const tokens: number[] = [];
    let finishReason: FinishReason | undefined;
    const told = (event: CoordinatorEvent): void => {
      if (event.kind !== 'token' || event.sequence.choice !== choice) return;
      tokens.push(event.drawn.token);
      finishReason = event.finishReason;
    };
    const world = this.#makeWorld(told, () => [...request.promptTokens, ...tokens]);
    const { timeline } = world;
    world.start();
    while (!world.coordinator.ready) assert(timeline.advance(), 'the chip gets ready');
    const admission = world.coordinator.submit(request);
    assert(admission.kind === 'queued', `${request.requestId} is queued`);
    for (const sequence of admission.sequences) {
      if (sequence.choice !== choice) world.coordinator.cancel(sequence);
    }
    while (finishReason === undefined) assert(timeline.advance(), 'the request finishes');
    world.end();
    return { tokens, finishReason };
  }

  #makeWorld(told: (event: CoordinatorEvent) => void, text: () => readonly number[]): World {
    const { config, spec, scheduler, shards } = this.#options;
    let position = 0;
    return new World({
      timeline: new Timeline(),
      coordinator: {
        ...{ spec, scheduler, vocabSize: config.vocabSize },
        stepTimeoutMicros: 1e6,
        patienceMicros: 1e6,
      },
      seats: 1,
      shards,
      codec: undefined,
      network: makeReliableNetwork(1),
      observer: {
        told,
        computing: ({ segment }, chip, shard) => {
          if (segment !== 'head') return;
          const [part] = chip.command!.sequences;
          assert(part!.start === position, 'one token after the other is computed');
          position += part!.tokens.length;
          this.#learn(shard, part!.start, text().slice(0, position));
        },
      },
      computeMicros: () => 1,
      loadMicros: () => 1,
    });
  }

  #learn(shard: Shard, start: number, text: readonly number[]): void {
    const { hiddenSize } = shard.layout.plan.config;
    let hash = 0;
    for (const [position, token] of text.entries()) {
      hash = hashPrefix(hash, token);
      if (position < start) continue;
      const row = shard.row(position - start).subarray(0, hiddenSize);
      this.#digests.set(hash, digestFloats(row));
    }
  }
}
