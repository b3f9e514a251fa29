import type { Random } from '../random.ts';
import { type Fault, NOISE_EFFECTS } from './faults.ts';

interface FaultRoom {
  /** Chips that a fault can meet. */
  readonly seats: number;
  readonly spares: number;
  readonly horizonMicros: number;
}

const KINDS = [
  ...['crashChip', 'crashChip', 'hangChip', 'hangChip', 'slowChip', 'crashCoordinator'],
  ...['crashCoordinator', 'outage', 'partition', 'partition', 'clog', 'noise', 'noise', 'noise'],
] as const;

/**
 * Draws what goes wrong in a world. Some kinds are left out at random, so that the others meet
 * states that they would otherwise never see.
 */
export function drawFaults(random: Random, room: FaultRoom): Fault[] {
  const kinds = KINDS.filter(() => random.chance(0.6)) as Fault['kind'][];
  const count = kinds.length === 0 ? 0 : random.integer(0, 8);
  const drawMoment = drawMoments(random, room.horizonMicros);
  const faults = Array.from({ length: count }, () =>
    drawFault(random, random.pick(kinds), { ...room, atMicros: drawMoment() }),
  );
  const canLose = room.spares > 0 || room.seats > 1;
  if (canLose && random.chance(0.15)) {
    faults.push(drawFault(random, 'loseChip', { ...room, atMicros: drawMoment() }));
  }
  return faults.sort((a, b) => a.atMicros - b.atMicros);
}

/** Moments of faults: anywhere, or all within a short time, so that they meet one another. */
function drawMoments(random: Random, horizonMicros: number): () => number {
  const latest = Math.round(horizonMicros * 0.7);
  const anywhere = (): number => random.integer(0, latest);
  if (random.chance(0.4)) return anywhere;
  const middle = anywhere();
  return () => Math.min(latest, middle + random.around(80_000));
}

function drawFault(
  random: Random,
  kind: Fault['kind'],
  { seats, horizonMicros, atMicros }: FaultRoom & { readonly atMicros: number },
): Fault {
  const mean = random.pick([3_000, 100_000, 600_000]);
  const durationMicros = Math.min(random.around(mean), horizonMicros - atMicros);
  const span = { atMicros, durationMicros };
  const seat = random.integer(0, seats - 1);
  switch (kind) {
    case 'crashChip':
    case 'hangChip':
      return { ...span, kind, seat };
    case 'loseChip':
      return { ...span, durationMicros: horizonMicros - atMicros, kind, seat };
    case 'slowChip':
      return { ...span, kind, seat, factor: random.pick([3, 10, 50]) };
    case 'partition':
      return { ...span, kind, seat, direction: random.pick(['from', 'to', 'both']) };
    case 'clog':
      return { ...span, kind, from: seat, to: random.integer(0, seats - 1) };
    case 'noise': {
      const effect = random.pick(NOISE_EFFECTS);
      return { ...span, kind, effect, chance: random.pick([0.005, 0.05, 0.3]) };
    }
    case 'crashCoordinator':
    case 'outage':
      return { ...span, kind };
  }
}
