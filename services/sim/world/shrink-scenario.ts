import type { Scenario } from './scenario.ts';

/**
 * Leaves out faults one after the other, and then requests, for as long as the scenario still
 * fails: what is left says what it takes.
 */
export function shrinkScenario(
  scenario: Scenario,
  fails: (smaller: Scenario) => boolean,
): Scenario {
  let shrunk = scenario;
  for (;;) {
    const before = shrunk;
    shrunk = withoutSome(shrunk, 'faults', fails);
    shrunk = withoutSome(shrunk, 'requests', fails);
    if (shrunk === before) return shrunk;
  }
}

/** The scenario with the faults and requests of these indices alone. */
export function keepOf(
  scenario: Scenario,
  kept: { readonly faults?: readonly number[]; readonly requests?: readonly number[] },
): Scenario {
  const { faults = scenario.faults.keys(), requests = scenario.requests.keys() } = kept;
  return {
    ...scenario,
    faults: [...faults].flatMap((index) => scenario.faults[index] ?? []),
    requests: [...requests].flatMap((index) => scenario.requests[index] ?? []),
  };
}

function withoutSome(
  scenario: Scenario,
  part: 'faults' | 'requests',
  fails: (smaller: Scenario) => boolean,
): Scenario {
  let shrunk = scenario;
  for (const item of scenario[part].toReversed()) {
    const rest = (shrunk[part] as readonly unknown[]).filter((other) => other !== item);
    const smaller = { ...shrunk, [part]: rest };
    if (fails(smaller)) shrunk = smaller;
  }
  return shrunk;
}
