import { expF64, logF64 } from '../support/math.ts';
import { addOverlapped, type Cost, type Operator, rowsOf } from './operator.ts';
import type { RecordedGraphs } from './recorded-graphs.ts';
import type { StepShape } from './step-shape.ts';

/** A matrix product of every layer that has it, on one chip. */
export interface GemmOptions {
  readonly name: string;
  /** Layers that have it. */
  readonly times: number;
  readonly rows: 'all' | 'sampled';
  readonly graphs: RecordedGraphs;
  readonly inputs: number;
  readonly outputs: number;
  readonly weightBytes: number;
  readonly rates: GemmRates;
  /** Where the matrix is one of many that tokens are routed to. */
  readonly routing: Routing | undefined;
}

/** What a product costs beside its FLOPs, in seconds; see `GemmParameters`. */
export interface GemmRates {
  readonly flopsPerSecond: number;
  readonly joulesPerFlop: number;
  readonly memoryBytesPerSecond: number;
  readonly overheadSeconds: number;
  readonly epilogueSecondsPerElement: number;
  readonly quantisationSecondsPerElement: number;
  /** Bytes of an element of the input as the product reads it. */
  readonly inputBytes: number;
  /** Of the output as it goes to memory; 0 where it stays on the chip. */
  readonly outputBytes: number;
}

/** Experts of one chip, met by the tokens of all replicas. */
export interface Routing {
  readonly localExperts: number;
  /** Share of the experts that one token meets. */
  readonly activeShare: number;
  /** Rows of the step in all replicas, over the rows of one. */
  readonly replicas: number;
}

/** Rows of one product: those that somebody asked for, all with padding, and all with tiles filled up. */
interface GemmRows {
  readonly useful: number;
  readonly rows: number;
  readonly multiplied: number;
  /** Matrices that they meet. */
  readonly matrices: number;
}

/** Rows of a tile of a product: an expert's rows are padded to it, by half a tile on average. */
const EXPERT_TILE_ROWS = 128;

/**
 * time = overhead + quantise + (compute ⊔ stream) + epilogue: the roofline with what measured
 * products cost beside it.
 */
export function makeGemm(options: GemmOptions): Operator {
  const { name, times, rates, inputs, outputs, routing } = options;
  const size = inputs * outputs;
  const add = (cost: Cost, { useful, rows, multiplied, matrices }: GemmRows): void => {
    const bytes = matrices * size * options.weightBytes + rows * inputs * rates.inputBytes;
    const quantise = rows * inputs * rates.quantisationSecondsPerElement;
    const epilogue = rows * outputs * rates.epilogueSecondsPerElement;
    addOverlapped(
      cost,
      (times * 2 * multiplied * size) / rates.flopsPerSecond,
      (times * bytes) / rates.memoryBytesPerSecond,
    );
    cost.memorySeconds += times * (quantise + epilogue);
    cost.overheadSeconds += times * rates.overheadSeconds;
    cost.computeJoules += times * 2 * multiplied * size * rates.joulesPerFlop;
    cost.flops += times * 2 * useful * size;
    cost.memoryBytes += times * (bytes + rows * outputs * rates.outputBytes);
  };
  const addRouted = (cost: Cost, shape: StepShape, route: Routing): void => {
    const perToken = route.replicas * route.activeShare * route.localExperts;
    const launched = options.graphs.launchedRows(shape);
    const rows = launched * perToken;
    const hit = route.localExperts * hitShare(route.activeShare, launched * route.replicas);
    const multiplied = rows + (hit * EXPERT_TILE_ROWS) / 2;
    const useful = rowsOf(shape) * perToken;
    if (rows > 0) add(cost, { useful, rows, multiplied, matrices: hit });
  };
  return {
    name,
    addTo(cost, shape) {
      if (routing !== undefined) return addRouted(cost, shape, routing);
      const useful = options.rows === 'all' ? rowsOf(shape) : shape.sampledRows;
      const rows = options.rows === 'all' ? options.graphs.launchedRows(shape) : useful;
      if (rows > 0) add(cost, { useful, rows, multiplied: rows, matrices: 1 });
    },
  };
}

/** Share of the experts that at least one of the tokens meets, routing being even. */
function hitShare(activeShare: number, tokens: number): number {
  return activeShare >= 1 ? 1 : 1 - expF64(tokens * logF64(1 - activeShare));
}
