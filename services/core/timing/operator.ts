import type { StepShape } from './step-shape.ts';

/** What operators of a step add up to on one chip. Mutable: one is reused for every step. */
export interface Cost {
  computeSeconds: number;
  memorySeconds: number;
  /** What compute alone would take beyond `computeSeconds`; negative where it would take less. */
  computeBesideSeconds: number;
  /** The same of memory. */
  memoryBesideSeconds: number;
  collectiveSeconds: number;
  overheadSeconds: number;
  flops: number;
  memoryBytes: number;
  linkBytes: number;
}

/** One kind of work of a step, in all the layers that have it. */
export interface Operator {
  readonly name: string;
  /** Adds what it costs. */
  addTo(cost: Cost, shape: StepShape): void;
}

/** Nothing yet. */
export function makeCost(): Cost {
  return {
    computeSeconds: 0,
    memorySeconds: 0,
    computeBesideSeconds: 0,
    memoryBesideSeconds: 0,
    collectiveSeconds: 0,
    overheadSeconds: 0,
    flops: 0,
    memoryBytes: 0,
    linkBytes: 0,
  };
}

/** Sets a cost back to nothing. */
export function clearCost(cost: Cost): void {
  cost.computeSeconds = 0;
  cost.memorySeconds = 0;
  cost.computeBesideSeconds = 0;
  cost.memoryBesideSeconds = 0;
  cost.collectiveSeconds = 0;
  cost.overheadSeconds = 0;
  cost.flops = 0;
  cost.memoryBytes = 0;
  cost.linkBytes = 0;
}

/** Rows that every layer computes. */
export function rowsOf({ prefillTokens, decodeSequences }: StepShape): number {
  return prefillTokens + decodeSequences;
}

/**
 * Time of work that computes and streams at once: the 4-norm, which is the larger of both except
 * near the ridge. It is charged to the larger.
 */
export function addOverlapped(cost: Cost, computeSeconds: number, memorySeconds: number): void {
  const a = computeSeconds * computeSeconds;
  const b = memorySeconds * memorySeconds;
  const seconds = Math.sqrt(Math.sqrt(a * a + b * b));
  const computeBinds = computeSeconds >= memorySeconds;
  if (computeBinds) cost.computeSeconds += seconds;
  else cost.memorySeconds += seconds;
  cost.computeBesideSeconds += computeSeconds - (computeBinds ? seconds : 0);
  cost.memoryBesideSeconds += memorySeconds - (computeBinds ? 0 : seconds);
}
