import { InvalidArgumentError } from '../support/errors.ts';
import type { Architecture, FeedForward } from './architecture.ts';

/** Largest member of the family: what Etched once said a chip would support. */
export const MAX_PARAMETERS = 100e12;
const MIN_PARAMETERS = 1e8;

const HEAD_DIM = 128;
/** Queries that share a key: as in Llama-3-70B. */
const QUERIES_PER_KV_HEAD = 8;
/** Width over depth, about that of Llama-3-70B and 405B. */
const ASPECT = 110;
/** Width of the gated perceptron over the hidden size, as in Llama. */
const MLP_RATIO = 3.5;
const VOCABULARY = 128_256;
/** As in DeepSeek-V3: 256 experts, 8 of them active, one shared, each 2/7 of the hidden size. */
const EXPERTS = { experts: 256, active: 8, ratio: 2 / 7 };
const MAX_POSITIONS = 131_072;

const UNITS: Readonly<Record<string, number>> = { m: 1e6, b: 1e9, t: 1e12 };
const PATTERN = /^(dense|moe)-(\d+(?:\.\d+)?)([mbt])$/i;

/**
 * The member of the family that a name asks for, such as "dense-70b" or "moe-100t"; undefined for
 * another name.
 */
export function parseParametric(name: string): Architecture | undefined {
  const match = PATTERN.exec(name);
  if (match === null) return undefined;
  const parameters = Number(match[2]) * UNITS[match[3]!.toLowerCase()]!;
  const kind = match[1]!.toLowerCase() === 'moe' ? 'moe' : 'dense';
  return { ...makeParametric(kind, parameters), name: name.toLowerCase() };
}

/** A transformer of usual proportions with about that many parameters (within 3 %). */
export function makeParametric(kind: 'dense' | 'moe', parameters: number): Architecture {
  if (!(parameters >= MIN_PARAMETERS && parameters <= MAX_PARAMETERS)) {
    throw new InvalidArgumentError(
      `model must have from 100m to 100t parameters, not ${parameters}: the nearest is ${kind}-${parameters < MIN_PARAMETERS ? '100m' : '100t'}`,
    );
  }
  const perSquare = parametersPerSquare(kind);
  const width = solveWidth(parameters, perSquare);
  const tables = 2 * VOCABULARY * width;
  const layers = Math.max(1, Math.round((parameters - tables) / (perSquare * width * width)));
  const heads = width / HEAD_DIM;
  const kvHeads = Math.max(1, heads / QUERIES_PER_KV_HEAD);
  return {
    name: `${kind}-${parameters / 1e9}b`,
    source: 'parametric family: the proportions of Llama-3 (dense) and DeepSeek-V3 (experts)',
    hiddenSize: width,
    vocabSize: VOCABULARY,
    tiedEmbeddings: false,
    maxPositions: MAX_POSITIONS,
    diffusion: undefined,
    groups: [
      {
        layers,
        crossTokens: 0,
        attention: { kind: 'grouped', heads, kvHeads, headDim: HEAD_DIM },
        feedForward: makeFeedForward(kind, width),
      },
    ],
  };
}

function makeFeedForward(kind: 'dense' | 'moe', width: number): FeedForward {
  if (kind === 'dense') {
    return { kind: 'dense', intermediateSize: MLP_RATIO * width, gated: true };
  }
  const expertSize = Math.round(EXPERTS.ratio * width);
  const { experts, active } = EXPERTS;
  return { kind: 'experts', experts, active, expertSize, sharedSize: expertSize, gated: true };
}

/** Parameters of a layer over the square of its width. */
function parametersPerSquare(kind: 'dense' | 'moe'): number {
  const attention = 2 + 2 / QUERIES_PER_KV_HEAD;
  const experts = 3 * EXPERTS.ratio * (EXPERTS.experts + 1);
  return attention + (kind === 'dense' ? 3 * MLP_RATIO : experts);
}

/** The multiple of 1,024 (8 heads of 128) for which depth is width over the aspect. */
function solveWidth(parameters: number, perSquare: number): number {
  const unit = HEAD_DIM * QUERIES_PER_KV_HEAD;
  let width = unit;
  const sizeOf = (w: number): number => (perSquare * w ** 3) / ASPECT + 2 * VOCABULARY * w;
  while (sizeOf(width + unit / 2) < parameters) width += unit;
  return width;
}
