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
  /** What the step waits for on the host. */
  hostSeconds: number;
  /** The chips' clock over the full one. */
  clock: number;
  /** Energy of arithmetic at full clock, that on padding included. */
  computeJoules: number;
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
    hostSeconds: 0,
    clock: 1,
    computeJoules: 0,
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
  cost.hostSeconds = 0;
  cost.clock = 1;
  cost.computeJoules = 0;
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
 * near the ridge. It is charged to both by their fourth powers, which is what the time owes to each: a
 * clock that is one per cent slower adds one per cent of compute's part.
 */
export function addOverlapped(cost: Cost, computeSeconds: number, memorySeconds: number): void {
  const a = computeSeconds * computeSeconds;
  const b = memorySeconds * memorySeconds;
  const sum = a * a + b * b;
  if (sum === 0) return;
  const seconds = Math.sqrt(Math.sqrt(sum));
  const computePart = (seconds * a * a) / sum;
  const memoryPart = seconds - computePart;
  cost.computeSeconds += computePart;
  cost.memorySeconds += memoryPart;
  cost.computeBesideSeconds += computeSeconds - computePart;
  cost.memoryBesideSeconds += memorySeconds - memoryPart;
}
