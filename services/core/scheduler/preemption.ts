import type { SchedulingPolicy } from './options.ts';
import { isBefore } from './priority-queue.ts';
import type { Sequence } from './request.ts';

/**
 * The running sequence that gives its blocks up first: the least important one, or where the policy
 * knows no importance the last admitted one.
 */
export function chooseVictim(running: readonly Sequence[], policy: SchedulingPolicy): Sequence {
  if (policy !== 'priority') return running.at(-1)!;
  return running.reduce((victim, sequence) => (isBefore(victim, sequence) ? sequence : victim));
}
