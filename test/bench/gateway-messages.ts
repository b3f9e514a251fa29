/** What the benchmark's gateway says. */
export type GatewayBenchMessage =
  | { readonly kind: 'listening'; readonly port: number }
  /** Processor time of the process so far: the answer to every order. */
  | { readonly kind: 'cpu'; readonly micros: number };

/** What it is told. */
export type GatewayBenchOrder =
  /** Time from step to step; 0 is at once. */
  { readonly kind: 'pace'; readonly intervalMs: number } | { readonly kind: 'read' };
