import type { Lane } from './lane.ts';

/** How requests are spread over replicas. */
export const ROUTING_POLICIES = ['least_loaded', 'round_robin'] as const;
export type RoutingPolicy = (typeof ROUTING_POLICIES)[number];

/**
 * Chooses who serves each request: in turn, or whoever has the fewest requests that wait or run, and
 * of equals the first.
 */
export class Router<Target extends { readonly lane: Lane }> {
  readonly #targets: readonly Target[];
  readonly #policy: RoutingPolicy;
  #turn = 0;

  constructor(targets: readonly Target[], policy: RoutingPolicy) {
    this.#targets = targets;
    this.#policy = policy;
  }

  choose(): Target {
    if (this.#policy === 'round_robin') return this.#targets[this.#turn++ % this.#targets.length]!;
    return this.#targets.reduce((least, target) =>
      target.lane.load < least.lane.load ? target : least,
    );
  }
}
