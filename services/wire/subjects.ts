import type { Destination } from '../core/collectives/frame.ts';

/**
 * The subjects of one group. Names carry receiver and sender, so that broker permissions can
 * authenticate the sender.
 */
export class GroupSubjects {
  readonly #prefix: string;

  constructor(cluster: string, group: string) {
    this.#prefix = `sohu.${cluster}.${group}`;
  }

  /** Coordinator to all chips. */
  get command(): string {
    return `${this.#prefix}.command`;
  }

  /** A chip to the coordinator. */
  report(rank: number): string {
    return `${this.#prefix}.report.${rank}`;
  }

  get allReports(): string {
    return `${this.#prefix}.report.*`;
  }

  /** Chip to chip. */
  transfer(destination: Destination, source: number): string {
    return `${this.#prefix}.xfer.${destination}.${source}`;
  }

  /** Everything that is sent to `destination`. */
  transfersTo(destination: Destination): string {
    return `${this.#prefix}.xfer.${destination}.*`;
  }

  /** Everything that `source` sends. */
  transfersFrom(source: number): string {
    return `${this.#prefix}.xfer.*.${source}`;
  }
}
