import { layerCount } from '../architecture/architecture.ts';
import { WIDE_BYTES } from '../timing/precision.ts';
import type { AuditLine, AuditSection } from './audit-line.ts';
import { type Claim, sourceOf } from './claim.ts';

/** What a claim asks of each chip's links, bytes per second in one direction. */
export interface LinkNeed {
  readonly bytesPerToken: number;
  readonly ring: number;
  readonly inNetwork: number;
  readonly ringNarrow: number;
  readonly inNetworkNarrow: number;
  readonly pipeline: number;
}

/** Partial sums are added after attention and after the perceptron of each layer. */
const ALL_REDUCES_PER_LAYER = 2;
/** Bytes of a partial sum sent in fp8. */
const NARROW_BYTES = 1;

/**
 * All-reduces of tensor parallelism over all chips: a ring sends 2 (p − 1)/p of the payload, a network
 * that adds takes it once. Pipeline stages hand on the residual alone.
 */
export function linkNeed({ architecture, chips, tokensPerSecond }: Claim): LinkNeed {
  const elements = ALL_REDUCES_PER_LAYER * layerCount(architecture) * architecture.hiddenSize;
  const ringFactor = (2 * (chips - 1)) / chips;
  const rate = (factor: number, bytes: number): number =>
    factor * elements * bytes * tokensPerSecond;
  const factor = chips > 1 ? 1 : 0;
  return {
    bytesPerToken: elements * WIDE_BYTES,
    ring: rate(ringFactor, WIDE_BYTES),
    inNetwork: rate(factor, WIDE_BYTES),
    ringNarrow: rate(ringFactor, NARROW_BYTES),
    inNetworkNarrow: rate(factor, NARROW_BYTES),
    pipeline: factor * architecture.hiddenSize * WIDE_BYTES * tokensPerSecond,
  };
}

/** The links that a claim takes, split by tensors or by stages; one chip has none. */
export function linkSection(
  claim: Claim,
  pricedLinkRate: number | undefined,
): AuditSection | undefined {
  if (claim.chips === 1) return undefined;
  const need = linkNeed(claim);
  const sources = [sourceOf(claim, 'tokens_per_second'), claim.architecture.source];
  const tp = `TP${claim.chips}`;
  const rate = (id: string, name: string, value: number, by: string): AuditLine => ({
    id,
    name,
    value,
    unit: 'B/s',
    by,
    sources,
  });
  return {
    title: 'Links of a chip, one direction',
    lines: [
      {
        id: 'all-reduce-bytes',
        name: `${tp}: partial sums of a token`,
        value: need.bytesPerToken,
        unit: 'B',
        by: '2 a layer × hidden size × bf16',
        sources: [claim.architecture.source],
      },
      rate('link-ring', `${tp} in a ring`, need.ring, '2 (p − 1)/p × bytes × tokens/s'),
      rate('link-in-network', `${tp}, added in the network`, need.inNetwork, 'bytes × tokens/s'),
      rate('link-ring-fp8', `${tp} in a ring, fp8 payload`, need.ringNarrow, 'half of it'),
      rate(
        'link-in-network-fp8',
        `${tp}, added in the network, fp8 payload`,
        need.inNetworkNarrow,
        'half of it',
      ),
      ...(pricedLinkRate === undefined
        ? []
        : [
            {
              id: 'link-priced',
              name: `${tp}, switched, at the efficiency that NVLink was measured to reach`,
              value: pricedLinkRate,
              unit: 'B/s',
              by: 'the link rate at which ideal software comes within 1 % of the arithmetic',
              sources: ['the timing model (sohu validate)'],
            } as const,
          ]),
      rate(
        'link-pipeline',
        `PP${claim.chips} instead`,
        need.pipeline,
        'hidden size × bf16 × tokens/s, for a hop through every stage by each token',
      ),
    ],
  };
}
