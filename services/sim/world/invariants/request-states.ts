import type { CoordinatorEvent } from '../../../cluster/coordinator-effects.ts';
import type { Sequence } from '../../../core/scheduler/request.ts';
import type { World } from '../world.ts';
import { type Invariant, require } from './invariant.ts';

const LEGAL: Readonly<Record<Sequence['state'], readonly Sequence['state'][]>> = {
  waiting: ['waiting', 'running', 'ended', 'cancelled'],
  running: ['running', 'waiting', 'ended', 'cancelled'],
  ended: ['ended', 'cancelled'],
  cancelled: ['cancelled'],
};

/**
 * I1: every request is in exactly one of queued, running and over, and the scheduler has the ones
 * that are not. I2: its state only changes as it may. I5: its moments are in order.
 */
export class RequestStates implements Invariant {
  /** The sequences that are not over, and their state after the event before. */
  readonly #open = new Map<Sequence, Sequence['state']>();

  /** Takes in the sequences that a coordinator has queued. */
  queued(sequences: readonly Sequence[]): void {
    for (const sequence of sequences) {
      if (!isOver(sequence.state)) this.#open.set(sequence, 'waiting');
    }
  }

  readonly told = (event: CoordinatorEvent): void => {
    if (event.kind === 'restored') this.queued(event.sequences);
    if (event.kind === 'token') this.#checkTimes(event.sequence);
  };

  readonly coordinatorEnded = (): void => {
    this.#open.clear();
  };

  readonly afterEvent = ({ runningCoordinator }: World): void => {
    const scheduler = runningCoordinator?.scheduler;
    if (scheduler === undefined) return;
    const count = { waiting: 0, running: 0, ended: 0, cancelled: 0 };
    for (const [sequence, before] of this.#open) {
      const { state, id } = sequence;
      require('I2', LEGAL[before].includes(state), () => `sequence ${id}: ${before} to ${state}`);
      count[state]++;
      if (isOver(state)) this.#open.delete(sequence);
      else if (state !== before) this.#open.set(sequence, state);
    }
    const { waitingCount, runningCount } = scheduler;
    require('I1', count.waiting === waitingCount && count.running === runningCount, () =>
      `${count.waiting} wait and ${count.running} run, the scheduler has ${waitingCount} and ${runningCount}`);
  };

  #checkTimes({ id, times }: Sequence): void {
    const { arrivalMicros, admittedMicros, firstTokenMicros, lastTokenMicros } = times;
    const moments = [arrivalMicros, admittedMicros, firstTokenMicros, lastTokenMicros];
    const isOrdered = moments.every(
      (moment, index) => moment !== undefined && moment >= (moments[index - 1] ?? 0),
    );
    require('I5', isOrdered, () => `moments of sequence ${id}: ${moments.join(', ')}`);
  }
}

function isOver(state: Sequence['state']): boolean {
  return state === 'ended' || state === 'cancelled';
}
