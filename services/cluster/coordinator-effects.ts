import type { KvEvent } from '../core/kv/kv-events.ts';
import type { DrawnToken } from '../core/sampling/drawn-token.ts';
import type { FinishReason, RequestTimes, Sequence } from '../core/scheduler/request.ts';
import type { ScheduledSequence } from '../core/scheduler/step-builder.ts';
import type { StepPrice } from '../core/timing/step-price.ts';
import type { StepShape } from '../core/timing/step-shape.ts';
import type { Command } from './messages.ts';
import type { ToldPrompt } from './prompt-rows.ts';
import type { StepTimes } from './step-times.ts';

/** What happens in a group, for those who serve its clients and watch it. */
export type CoordinatorEvent =
  | {
      readonly kind: 'loading';
      readonly rank: number;
      readonly loaded: number;
      readonly total: number;
    }
  | { readonly kind: 'ready'; readonly epoch: number; readonly kvBlocks: number }
  | { readonly kind: 'refused'; readonly rank: number; readonly message: string }
  /** The request outlasts its coordinator from now on; told where there is a journal. */
  | { readonly kind: 'accepted'; readonly requestId: string }
  /** Samples of a request that a coordinator before this one took in go on. */
  | { readonly kind: 'restored'; readonly sequences: readonly Sequence[] }
  /** Log-probabilities of a prompt, told in order and each once, before the first token. */
  | ({ readonly kind: 'promptLogprobs' } & ToldPrompt)
  | {
      readonly kind: 'token';
      readonly sequence: Sequence;
      readonly drawn: DrawnToken;
      readonly finishReason: FinishReason | undefined;
      /** Moments of the sequence in device time; undefined where that is not modelled. */
      readonly deviceTimes: Readonly<RequestTimes> | undefined;
    }
  | {
      readonly kind: 'requestFailed';
      readonly sequence: Sequence;
      readonly message: string;
      /** Whether the request itself is why, and would fail again. */
      readonly isAtFault: boolean;
    }
  /** What it would have drawn is drawn in a later step: no request fails for it. */
  | { readonly kind: 'stepFailed'; readonly message: string }
  | { readonly kind: 'kvEvents'; readonly events: readonly KvEvent[] }
  | StepCompleted;

/** A step that every chip has reported, and whose tokens were told. */
export interface StepCompleted {
  readonly kind: 'stepCompleted';
  readonly epoch: number;
  readonly step: number;
  readonly tokens: number;
  readonly sequences: number;
  /** What was scheduled; the sequences are as they are now. */
  readonly parts: readonly ScheduledSequence[];
  /** Host time, of the coordinator's clock. */
  readonly beganMicros: number;
  readonly durationMicros: number;
  /** Host time from the first chip's report to the last one's. */
  readonly skewMicros: number;
  /** What was priced; undefined where device time is not modelled. */
  readonly shape: StepShape | undefined;
  /** Device time and what it was spent on; undefined where that is not modelled. */
  readonly price: StepPrice | undefined;
  /** The chips' own times by rank, where the step was traced. */
  readonly times: readonly (StepTimes | undefined)[];
}

/** Everything that a coordinator does to the world outside. */
export interface CoordinatorEffects {
  /** Sends a command to every chip of the group. */
  command(command: Command): void;
  event(event: CoordinatorEvent): void;
  /** Calls `Coordinator.tick` once after the delay. */
  setTick(delayMicros: number): void;
  /** Calls `Coordinator.alarm` once after the delay, and never before. */
  setAlarm(delayMicros: number): void;
  /** A clock that never goes back. */
  nowMicros(): number;
}
