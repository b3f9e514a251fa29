import type { Logits } from './messages.ts';
import type { LogitsRow } from './shard-sampler.ts';

/** Gathers the shards' parts of the rows whose whole logits are needed. */
export class WholeRows {
  /** By sampled row, the parts of all ranks. */
  readonly #parts = new Map<number, (Logits | undefined)[]>();
  readonly #ranks: number;

  constructor(options: { readonly samples: readonly number[]; readonly ranks: number }) {
    this.#ranks = options.ranks;
    for (const sample of options.samples) this.#await(sample);
  }

  /** Ranks of which some part is missing. */
  get missing(): readonly number[] {
    const rows = [...this.#parts.values()];
    return Array.from({ length: this.#ranks }, (_, rank) => rank).filter((rank) =>
      rows.some((parts) => parts[rank] === undefined),
    );
  }

  /** Takes a part; returns the row that it completes. What was not asked for is ignored. */
  add(part: Logits): LogitsRow | undefined {
    const parts = this.#parts.get(part.sample);
    if (parts === undefined || part.rank >= this.#ranks || parts[part.rank] !== undefined) {
      return undefined;
    }
    if (part.raw !== undefined && part.raw.length !== part.logits.length) return undefined;
    parts[part.rank] = part;
    if (parts.includes(undefined)) return undefined;
    const whole = parts as Logits[];
    const raw = whole.flatMap((one) => one.raw ?? []);
    return {
      logits: concatenate(whole.map(({ logits }) => logits)),
      raw: raw.length === this.#ranks ? concatenate(raw) : undefined,
    };
  }

  /** Begins a row anew, where its parts did not make one. */
  discard(sample: number): void {
    this.#await(sample);
  }

  #await(sample: number): void {
    this.#parts.set(sample, new Array<undefined>(this.#ranks).fill(undefined));
  }
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
