/** The latencies that a load test tells, as `vllm bench serve` names them. */
export const LATENCIES = ['ttft', 'tpot', 'itl', 'e2el'] as const;
export type Latency = (typeof LATENCIES)[number];

/** Those that every request has one of. */
export const GOAL_LATENCIES = ['ttft', 'tpot', 'e2el'] as const;
export type GoalLatency = (typeof GOAL_LATENCIES)[number];

/** Milliseconds that a latency may have; what is not named may have any. */
export type LatencyGoals = Partial<Readonly<Record<GoalLatency, number>>>;
