/** What the memory accounting needs to know of a chip. */
export interface ChipSpec {
  readonly name: string;
  /** Capacity of the high-bandwidth memory in bytes. */
  readonly hbmBytes: number;
}

/** Etched Sohu: 144 GB of HBM3E per chip (published by Etched in its announcement of June 2024). */
export const SOHU: ChipSpec = { name: 'Sohu', hbmBytes: 144e9 };
