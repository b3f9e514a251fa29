import { type Fault, NOISE_EFFECTS } from './faults.ts';
import type { Random } from './random.ts';

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
  const count = kinds.length === 0 ? 0 : random.integer(0, 6);
  const faults = Array.from({ length: count }, () => drawFault(random, random.pick(kinds), room));
  const canLose = room.spares > 0 || room.seats > 1;
  if (canLose && random.chance(0.15)) faults.push(drawFault(random, 'loseChip', room));
  return faults.sort((a, b) => a.atMicros - b.atMicros);
}

function drawFault(random: Random, kind: Fault['kind'], room: FaultRoom): Fault {
  const { seats, horizonMicros } = room;
  const atMicros = random.integer(0, Math.round(horizonMicros * 0.7));
  const durationMicros = Math.min(random.around(300_000), horizonMicros - atMicros);
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
      return { ...span, kind, effect, chance: random.pick([0.005, 0.03, 0.15]) };
    }
    case 'crashCoordinator':
    case 'outage':
      return { ...span, kind };
  }
}
