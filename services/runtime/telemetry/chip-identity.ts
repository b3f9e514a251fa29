import { createHash } from 'node:crypto';

/** Of a seat in a cluster, whatever process takes it; written as the driver of a GPU would. */
export function chipUuid(place: {
  readonly cluster: string;
  readonly group: string;
  readonly seat: number;
}): string {
  const { cluster, group, seat } = place;
  const hash = createHash('sha256').update(`${cluster}/${group}/${seat}`).digest('hex');
  const parts = [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20)];
  return `GPU-${parts.join('-')}-${hash.slice(20, 32)}`;
}
