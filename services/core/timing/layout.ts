import type { Architecture } from '../architecture/architecture.ts';
import { layerCount } from '../architecture/architecture.ts';
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
  for (const field of ['tp', 'pp', 'ep', 'dp'] as const) {
    const value = layout[field];
    if (!Number.isInteger(value) || value < 1) {
      throw new InvalidArgumentError(`${field} must be an integer from 1, not ${value}`);
    }
  }
  const heads = architecture.groups[0]!.attention.heads;
  refuse('tp', layout.tp, divisorsOf(heads), `divide the ${heads} heads of ${architecture.name}`);
  const layers = layerCount(architecture);
  if (layout.pp > layers) {
    throw new InvalidArgumentError(
      `pp must be at most the ${layers} layers of ${architecture.name}, not ${layout.pp}; the nearest is ${layers}`,
    );
  }
  checkExperts(layout, architecture);
}

function checkExperts({ tp, ep, dp }: Layout, architecture: Architecture): void {
  const experts = Math.max(
    1,
    ...architecture.groups.map(({ feedForward }) =>
      feedForward.kind === 'experts' ? feedForward.experts : 1,
    ),
  );
  const valid = divisorsOf(tp * dp).filter((degree) => experts % degree === 0);
  refuse(
    'ep',
    ep,
    valid,
    `divide the ${experts} experts of ${architecture.name} and tp × dp = ${tp * dp}`,
  );
}

function refuse(field: string, value: number, valid: readonly number[], rule: string): void {
  if (valid.includes(value)) return;
  const nearest = valid.reduce((best, candidate) =>
    Math.abs(candidate - value) < Math.abs(best - value) ? candidate : best,
  );
  throw new InvalidArgumentError(
    `${field} must ${rule}, which ${value} does not; the nearest is ${nearest}`,
  );
}

function divisorsOf(total: number): readonly number[] {
  const all: number[] = [];
  for (let degree = 1; degree <= total; degree++) if (total % degree === 0) all.push(degree);
  return all;
}
