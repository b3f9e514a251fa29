import { FairQueue } from './fair-queue.ts';
import { FcfsQueue } from './fcfs-queue.ts';
import type { SchedulingPolicy } from './options.ts';
import { PriorityQueue } from './priority-queue.ts';
import type { WaitingQueue } from './waiting-queue.ts';

export function createWaitingQueue(policy: SchedulingPolicy): WaitingQueue {
  if (policy === 'priority') return new PriorityQueue();
  return policy === 'fair' ? new FairQueue() : new FcfsQueue();
}
