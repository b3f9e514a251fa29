import type { CoordinatorEvent } from '../../cluster/coordinator-effects.ts';
import type { GenerationRequest, Sequence } from '../../core/scheduler/request.ts';
import { require } from './invariants/invariant.ts';
import type { UndisturbedSample } from './undisturbed.ts';
import type { World } from './world.ts';

/** How long a client waits before it tries again. */
const RETRY_MICROS = 30_000;

export interface ClientRequest {
  readonly request: GenerationRequest;
  readonly atMicros: number;
  readonly cancelAtMicros: number | undefined;
  /** By choice. */
  readonly expected: readonly UndisturbedSample[];
}

/** One sample of a request, as its client has seen it so far. */
interface Stream {
  readonly expected: UndisturbedSample;
  received: number;
  isOver: boolean;
}

interface Client {
  readonly given: ClientRequest;
  readonly streams: readonly Stream[];
  /** Samples in the running coordinator; empty while it does not have the request. */
  sequences: readonly Sequence[];
  isAccepted: boolean;
  isCancelled: boolean;
}

/**
 * The clients of a world. They submit again until they are accepted, and hold what they get against
 * the undisturbed run. I9: tokens come in order and without gaps, nothing after the last one, and
 * whatever was accepted ends once, with exactly the expected tokens.
 */
export class Clients {
  readonly #world: World;
  readonly #queued: (sequences: readonly Sequence[]) => void;
  readonly #clients = new Map<string, Client>();

  /** `queued` hears of every sequence that a coordinator takes in for a client. */
  constructor(world: World, queued: (sequences: readonly Sequence[]) => void) {
    this.#world = world;
    this.#queued = queued;
  }

  /** Whether nobody waits for anything any more. */
  get areDone(): boolean {
    return [...this.#clients.values()].every(isDone);
  }

  /** Requests that are not over, for people. */
  get waiting(): readonly string[] {
    return [...this.#clients].filter(([, client]) => !isDone(client)).map(([id]) => id);
  }

  plan(requests: readonly ClientRequest[]): void {
    const { timeline } = this.#world;
    for (const given of requests) {
      const streams = given.expected.map((expected) => ({ expected, received: 0, isOver: false }));
      const client: Client = {
        ...{ given, streams, sequences: [], isAccepted: false, isCancelled: false },
      };
      this.#clients.set(given.request.requestId, client);
      timeline.after(given.atMicros, () => this.#submit(client));
      if (given.cancelAtMicros === undefined) continue;
      timeline.after(given.cancelAtMicros, () => this.#cancel(client));
    }
  }

  /** The tokens of a sequence that the running coordinator has. */
  tokensOf(id: number): readonly number[] {
    const sequences = [...this.#clients.values()].flatMap((client) => client.sequences);
    return sequences.find((sequence) => sequence.id === id)?.tokens ?? [];
  }

  observe(event: CoordinatorEvent): void {
    if (event.kind === 'accepted') this.#clients.get(event.requestId)!.isAccepted = true;
    if (event.kind === 'restored') this.#restored(event.sequences);
    if (event.kind === 'token') this.#takeToken(event);
    if (event.kind === 'requestFailed') {
      require('I9', false, () => `${event.sequence.request.requestId} failed: ${event.message}`);
    }
  }

  /** The coordinator has ended: who was not accepted asks the next one. */
  coordinatorEnded(): void {
    for (const client of this.#clients.values()) client.sequences = [];
  }

  #submit(client: Client): void {
    if (client.isAccepted || client.isCancelled) return;
    const { timeline, runningCoordinator } = this.#world;
    timeline.after(RETRY_MICROS, () => this.#submit(client));
    if (runningCoordinator === undefined || client.sequences.length > 0) return;
    const admission = runningCoordinator.submit(client.given.request);
    require('I1', admission.kind !== 'rejected' || admission.reason === 'full', () =>
      `${client.given.request.requestId} is refused`);
    if (admission.kind !== 'queued') return;
    client.sequences = admission.sequences;
    this.#queued(admission.sequences);
  }

  #cancel(client: Client): void {
    if (isDone(client)) return;
    client.isCancelled = true;
    this.#cancelAgain(client);
  }

  #restored(sequences: readonly Sequence[]): void {
    const client = this.#clients.get(sequences[0]!.request.requestId)!;
    client.sequences = sequences;
    // What became of the cancellation was not durable.
    if (client.isCancelled) this.#world.timeline.after(0, () => this.#cancelAgain(client));
  }

  #cancelAgain({ sequences }: Client): void {
    for (const sequence of sequences) this.#world.runningCoordinator?.cancel(sequence);
  }

  #takeToken({
    sequence,
    drawn,
    finishReason,
  }: Extract<CoordinatorEvent, { kind: 'token' }>): void {
    const { requestId, promptTokens } = sequence.request;
    const stream = this.#clients.get(requestId)!.streams[sequence.choice]!;
    const { tokens } = stream.expected;
    const index = sequence.tokens.length - promptTokens.length - 1;
    const place = (): string => `token ${index} of ${requestId}.${sequence.choice}`;
    require('I9', index <= stream.received, () => `${place()} comes after ${stream.received}`);
    require('I9', index < tokens.length, () => `${place()} comes after the last one`);
    require('I9', drawn.token === tokens[index], () => `${place()} is not as undisturbed`);
    const expected = index === tokens.length - 1 ? stream.expected.finishReason : undefined;
    require('I9', finishReason === expected, () => `${place()} ends with ${finishReason}`);
    if (index === stream.received) stream.received++;
    if (finishReason !== undefined) stream.isOver = true;
  }
}

function isDone({ streams, isCancelled }: Client): boolean {
  return isCancelled || streams.every(({ isOver }) => isOver);
}
