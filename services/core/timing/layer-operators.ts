import type { Architecture, LayerGroup } from '../architecture/architecture.ts';
import type { CollectivePricer } from './collectives.ts';
import { addPass, type ElementwisePass } from './elementwise-pass.ts';
import type { Layout } from './layout.ts';
import { type Operator, rowsOf } from './operator.ts';
import { WIDE_BYTES } from './precision.ts';
import type { RecordedGraphs } from './recorded-graphs.ts';

const F32_BYTES = 4;
/** Two norms and an activation, each a kernel. */
const PASSES_OF_A_LAYER = 3;

/**
 * Norms with their residual additions, and the activation function: passes over rows that no matrix
 * product pays for. Norms work on whole rows on every chip.
 */
export function makeElementwise(
  group: LayerGroup,
  options: {
    readonly hiddenSize: number;
    readonly tp: number;
    readonly pass: ElementwisePass;
    /** Of an element that goes to a product: fewer where it is quantised on the way. */
    readonly handedBytes: number;
    readonly overheadSeconds: number;
    readonly graphs: RecordedGraphs;
  },
): Operator {
  const { hiddenSize, tp, pass, handedBytes, graphs } = options;
  const overheadSeconds = group.layers * PASSES_OF_A_LAYER * options.overheadSeconds;
  // Twice a layer: read the residual and what is added, write both their sum and its norm.
  const norms = 2 * (3 * WIDE_BYTES + handedBytes) * hiddenSize;
  const activation = ((WIDE_BYTES * inwardMatrices(group) + handedBytes) * activeWidth(group)) / tp;
  const routing = WIDE_BYTES * routedPasses(group) * hiddenSize;
  const bytesPerRow = (norms + activation + routing) * group.layers;
  return {
    name: 'elementwise',
    addTo(cost, shape) {
      const rows = graphs.launchedRows(shape);
      if (rows === 0) return;
      addPass(cost, bytesPerRow * rows, pass);
      cost.overheadSeconds += overheadSeconds;
    },
  };
}

/** The all-reduces of a step: two a layer, and that of the embedding rows. */
export function makeAllReduce(
  { hiddenSize }: Architecture,
  options: {
    readonly layers: number;
    readonly collectives: CollectivePricer;
    readonly graphs: RecordedGraphs;
  },
): Operator {
  const { collectives, graphs } = options;
  const bytesPerRow = WIDE_BYTES * hiddenSize;
  const times = 2 * options.layers + 1;
  return {
    name: 'all_reduce',
    addTo(cost, shape) {
      const bytes = bytesPerRow * graphs.launchedRows(shape);
      cost.collectiveSeconds += times * collectives.allReduceSeconds(bytes);
      cost.linkBytes += times * collectives.allReduceSentBytes(bytes);
    },
  };
}

/** Logits of the rows to be sampled, brought together from the chips' parts of the vocabulary. */
export function makeLogitsGather(
  { vocabSize }: Architecture,
  collectives: CollectivePricer,
): Operator {
  return {
    name: 'logits_gather',
    addTo(cost, { sampledRows }) {
      const bytes = WIDE_BYTES * vocabSize * sampledRows;
      cost.collectiveSeconds += collectives.allGatherSeconds(bytes);
      cost.linkBytes += collectives.allReduceSentBytes(bytes) / 2;
    },
  };
}

/** Choosing a token: bf16 logits are read, kept as f32, and read twice, for their sum and the choice. */
export function makeSampling({ vocabSize }: Architecture, pass: ElementwisePass): Operator {
  const bytesPerRow = (WIDE_BYTES + 3 * F32_BYTES) * vocabSize;
  return {
    name: 'sampling',
    addTo(cost, { sampledRows }) {
      addPass(cost, bytesPerRow * sampledRows, pass);
    },
  };
}

/**
 * Tokens sent to their experts on other chips, one byte an element, and their results brought back,
 * two. Within one replica the all-reduce does it.
 */
export function makeExpertExchange(
  { hiddenSize, groups }: Architecture,
  layout: Layout,
  rates: { readonly bytesPerSecond: number; readonly latencySeconds: number },
): Operator {
  const exchanges = groups.map(({ layers, feedForward }) =>
    feedForward.kind === 'experts' ? { layers, active: feedForward.active } : undefined,
  );
  const away = layout.dp > 1 ? (layout.ep - 1) / layout.ep : 0;
  const bytesPerRow = exchanges.reduce(
    (sum, group) => sum + (group ? group.layers * group.active * hiddenSize * 3 : 0),
    0,
  );
  const layers = exchanges.reduce((sum, group) => sum + (group?.layers ?? 0), 0);
  return {
    name: 'expert_exchange',
    addTo(cost, shape) {
      const rows = rowsOf(shape);
      if (rows === 0 || away === 0) return;
      const bytes = (away * bytesPerRow * rows) / layout.tp;
      cost.collectiveSeconds += bytes / rates.bytesPerSecond + 2 * layers * rates.latencySeconds;
      cost.linkBytes += bytes;
    },
  };
}

function inwardMatrices({ feedForward }: LayerGroup): number {
  return feedForward.gated ? 2 : 1;
}

/** Rows that are copied to each of a token's experts, and read back and added. */
function routedPasses({ feedForward }: LayerGroup): number {
  return feedForward.kind === 'experts' ? 3 * feedForward.active + 1 : 0;
}

/** Channels of the perceptrons that one token meets. */
function activeWidth({ feedForward }: LayerGroup): number {
  return feedForward.kind === 'dense'
    ? feedForward.intermediateSize
    : feedForward.active * feedForward.expertSize + feedForward.sharedSize;
}
