import type { ChipStatus, ClusterSnapshot } from '../../client/index.ts';
import { InvalidArgumentError } from '../../core/support/errors.ts';

/**
 * Leaves only the wanted chips, named by index or UUID, of each engine. Throws an InvalidArgumentError
 * that lists the chips where there is none so named.
 */
export function selectChips(
  engines: readonly ClusterSnapshot[],
  wanted: readonly string[] | undefined,
): readonly ClusterSnapshot[] {
  if (wanted === undefined) return engines;
  const chips = engines.flatMap((engine) => engine.chips);
  const isNamed = (chip: ChipStatus, name: string): boolean =>
    String(chip.seat) === name || chip.uuid === name;
  for (const name of wanted) {
    if (chips.some((chip) => isNamed(chip, name))) continue;
    const indices = [...new Set(chips.map(({ seat }) => seat))].sort((a, b) => a - b).join(', ');
    throw new InvalidArgumentError(
      `id must be the index or the UUID of a chip, and there is ${indices === '' ? 'none now' : indices}, not ${JSON.stringify(name)}`,
    );
  }
  return engines
    .map((engine) => ({
      ...engine,
      chips: engine.chips.filter((chip) => wanted.some((name) => isNamed(chip, name))),
    }))
    .filter((engine) => engine.chips.length > 0);
}
