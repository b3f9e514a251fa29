import type {
  ClusterSnapshot,
  EndedSample,
  SequenceStep,
  StepRecord,
} from '../rpc/telemetry-types.ts';

/** What is left of a step where many of them go into one event. */
export interface StepBar
  extends Pick<
    StepRecord,
    'step' | 'epoch' | 'beganMs' | 'endedMs' | 'deviceSeconds' | 'mfu' | 'binds'
  > {
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly sequences: number;
}

/** The first event: what does not change, and what ended lately. */
export interface HelloEvent {
  readonly kind: 'hello';
  /** The name that clients give the model. */
  readonly model: string;
  /** The gateway's version. */
  readonly version: string;
  readonly ended: readonly EndedSample[];
}

export interface SnapshotEvent {
  readonly kind: 'snapshot';
  readonly snapshot: ClusterSnapshot;
  /** Engines that were found; the snapshot and the steps are of the first. */
  readonly engines: number;
}

/** The steps since the event before, the last of them with its batch. */
export interface StepsEvent
  extends Pick<
    StepRecord,
    'running' | 'waiting' | 'kvBlocksUsed' | 'kvBlocks' | 'preemptions' | 'ended' | 'lost'
  > {
  readonly kind: 'steps';
  readonly steps: readonly StepBar[];
  /** The first of the sequences that the last step computed; the step says how many there are. */
  readonly batch: readonly SequenceStep[];
}

/** No engine answers. */
export interface AwayEvent {
  readonly kind: 'away';
  readonly message: string;
}

/** Steps that this reader did not get, because it was slow. */
export interface LostEvent {
  readonly kind: 'lost';
  readonly steps: number;
}

/** What `/console/events` sends, each as the JSON of one event of the stream. */
export type ConsoleEvent = HelloEvent | SnapshotEvent | StepsEvent | AwayEvent | LostEvent;
