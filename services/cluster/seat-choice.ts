/** Which seats a group takes its chips from, and which of them are heard. */
export interface SeatChoice {
  /** By rank; empty where the group has not been formed. */
  readonly current: readonly number[];
  /** Seats of chips that can be members, in ascending order. */
  readonly alive: readonly number[];
  /** Chips that the group should have. */
  readonly tensorParallel: number;
}

/**
 * The seats of a group, by rank: whoever lives keeps its rank, a spare takes the rank of one that
 * does not, and where there are too few the group has half as many chips, or half of that. The
 * numeric contract gives the same tokens at every degree. Undefined where no chip lives.
 */
export function chooseSeats({
  current,
  alive,
  tensorParallel,
}: SeatChoice): readonly number[] | undefined {
  let degree = tensorParallel;
  while (degree > alive.length) degree = Math.floor(degree / 2);
  if (degree === 0) return undefined;
  const kept = degree === current.length ? current : [];
  const spares = alive.filter((seat) => !kept.includes(seat));
  return Array.from({ length: degree }, (_, rank) => {
    const seat = kept[rank];
    return seat !== undefined && alive.includes(seat) ? seat : spares.shift()!;
  });
}
