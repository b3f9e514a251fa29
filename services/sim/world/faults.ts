/** What goes wrong in a world, when and for how long; times in microseconds. */
export type Fault = { readonly atMicros: number; readonly durationMicros: number } & (
  | { readonly kind: 'crashChip'; readonly seat: number }
  /** It never comes back. */
  | { readonly kind: 'loseChip'; readonly seat: number }
  | { readonly kind: 'hangChip'; readonly seat: number }
  | { readonly kind: 'slowChip'; readonly seat: number; readonly factor: number }
  | { readonly kind: 'crashCoordinator' }
  /** The link to the broker is down for all, and the coordinator hears of it when it is back. */
  | { readonly kind: 'outage' }
  /** Nothing passes between the chip and the others: from it, to it, or both ways. */
  | { readonly kind: 'partition'; readonly seat: number; readonly direction: PartitionDirection }
  /** Between two chips everything is late. */
  | { readonly kind: 'clog'; readonly from: number; readonly to: number }
  | { readonly kind: 'noise'; readonly effect: NoiseEffect; readonly chance: number }
);

export type PartitionDirection = 'from' | 'to' | 'both';

/** What noise does to a message; control messages have no checksum and are not corrupted. */
export const NOISE_EFFECTS = ['loss', 'duplication', 'reordering', 'corruption'] as const;
export type NoiseEffect = (typeof NOISE_EFFECTS)[number];

/** One line on a fault, for people. */
export function describeFault(fault: Fault): string {
  const { kind, atMicros, durationMicros, ...rest } = fault;
  const details = Object.entries(rest).map(([name, value]) => ` ${name}=${value}`);
  return `${atMicros / 1000} ms: ${kind}${details.join('')} for ${durationMicros / 1000} ms`;
}
