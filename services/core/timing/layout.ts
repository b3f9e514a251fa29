import { type Architecture, type LayerGroup, layerCount } from '../architecture/architecture.ts';
import { InvalidArgumentError } from '../support/errors.ts';

/**
 * How a model is spread: each of `dp` replicas over `pp` stages of `tp` chips. Experts are spread
 * over `ep` chips of one stage, replicas included.
 */
export interface Layout {
  readonly tp: number;
  readonly pp: number;
  readonly ep: number;
  readonly dp: number;
}

/** All chips of a layout. */
export function chipCount({ tp, pp, dp }: Layout): number {
  return tp * pp * dp;
}

/** Refuses a layout that the model cannot take; the message names the nearest valid degree. */
export function checkLayout(layout: Layout, architecture: Architecture): void {
  const problem = findLayoutProblem(layout, architecture);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
}

/** What keeps a model from taking a layout, in one sentence; undefined where nothing does. */
export function findLayoutProblem(layout: Layout, architecture: Architecture): string | undefined {
  for (const field of ['tp', 'pp', 'ep', 'dp'] as const) {
    const value = layout[field];
    if (!Number.isInteger(value) || value < 1) {
      return `${field} must be an integer from 1, not ${value}`;
    }
  }
  return (
    headProblem(layout, architecture) ??
    stageProblem(layout, architecture) ??
    expertProblem(layout, architecture)
  );
}

function headProblem({ tp }: Layout, { name, groups }: Architecture): string | undefined {
  const { heads } = groups[0]!.attention;
  return divisorProblem('tp', tp, { valid: divisorsOf(heads), rule: `${heads} heads of ${name}` });
}

function stageProblem({ pp }: Layout, architecture: Architecture): string | undefined {
  const layers = layerCount(architecture);
  return pp <= layers
    ? undefined
    : `pp must be at most the ${layers} layers of ${architecture.name}, not ${pp}; the nearest is ${layers}`;
}

function expertProblem({ tp, ep, dp }: Layout, architecture: Architecture): string | undefined {
  const experts = Math.max(1, ...architecture.groups.map(expertsOf));
  const valid = divisorsOf(tp * dp).filter((degree) => experts % degree === 0);
  const rule = `${experts} expert(s) of ${architecture.name} and tp × dp = ${tp * dp}`;
  return divisorProblem('ep', ep, { valid, rule });
}

function expertsOf({ feedForward }: LayerGroup): number {
  return feedForward.kind === 'experts' ? feedForward.experts : 1;
}

function divisorProblem(
  field: string,
  value: number,
  { valid, rule }: { readonly valid: readonly number[]; readonly rule: string },
): string | undefined {
  if (valid.includes(value)) return undefined;
  const nearest = valid.reduce((best, candidate) =>
    Math.abs(candidate - value) < Math.abs(best - value) ? candidate : best,
  );
  return `${field} must divide the ${rule}, which ${value} does not; the nearest is ${nearest}`;
}

/** All divisors, in ascending order. */
export function divisorsOf(total: number): readonly number[] {
  const all: number[] = [];
  for (let degree = 1; degree <= total; degree++) if (total % degree === 0) all.push(degree);
  return all;
}
