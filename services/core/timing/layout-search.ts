import { layerCount } from '../architecture/architecture.ts';
import { divisorsOf, findLayoutProblem, type Layout } from './layout.ts';
import { type PlacedModel, planLoad } from './load-price.ts';
import type { MemoryPlan } from './memory-plan.ts';

/** A layout and what it leaves of the memory. */
export interface PlannedLayout {
  readonly layout: Layout;
  readonly plan: MemoryPlan;
}

/**
 * Layouts of exactly that many chips that the model can take and that fit: tensor parallelism inside
 * a server, experts spread over all chips of a stage or not at all. The most room for KV comes first.
 */
export function planLayouts(placed: PlacedModel, chips: number): readonly PlannedLayout[] {
  return candidates(chips, placed.chip.links.maxChipsPerServer)
    .filter((layout) => findLayoutProblem(layout, placed.architecture) === undefined)
    .map((layout) => ({ layout, plan: planLoad({ ...placed, layout }) }))
    .filter(({ plan }) => plan.fits)
    .sort((a, b) => b.plan.kvTokens * b.layout.dp - a.plan.kvTokens * a.layout.dp);
}

function candidates(chips: number, maxChipsPerServer: number): readonly Layout[] {
  return divisorsOf(chips)
    .filter((tp) => tp <= maxChipsPerServer)
    .flatMap((tp) =>
      divisorsOf(chips / tp).flatMap((pp) => {
        const dp = chips / tp / pp;
        return [...new Set([1, tp * dp])].map((ep) => ({ tp, pp, ep, dp }));
      }),
    );
}

/**
 * The fewest whole servers that hold a model as one replica: tensor parallelism inside them, experts
 * spread as far, pipeline stages between them. Undefined where even a layer a stage is too much.
 */
export function smallestLayout(placed: PlacedModel): PlannedLayout | undefined {
  const { architecture, chip } = placed;
  const { heads } = architecture.groups[0]!.attention;
  const tp = divisorsOf(heads).findLast((part) => part <= chip.links.maxChipsPerServer)!;
  const layers = layerCount(architecture);
  for (let pp = 1; pp <= layers; pp++) {
    const layout = [tp, 1]
      .map((ep) => ({ tp, pp, ep, dp: 1 }))
      .find((candidate) => findLayoutProblem(candidate, architecture) === undefined)!;
    const plan = planLoad({ ...placed, layout });
    if (plan.fits) return { layout, plan };
  }
  return undefined;
}
