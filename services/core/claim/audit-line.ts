import type { Range } from '../hardware/figure.ts';

export type AuditUnit =
  | 'tokens/s'
  | 'requests/s'
  | 'tokens'
  | 'FLOP'
  | 'FLOP/s'
  | 'B'
  | 'B/s'
  | 's'
  | 'J/FLOP'
  | 'FMA'
  | 'transistors'
  | 'sequences'
  | 'chips'
  | 'USD'
  | 'share'
  | 'times';

/** One figure of an audit: calculated from the claim and the catalogues, never quoted. */
export interface AuditLine {
  /** Names the figure in JSON. */
  readonly id: string;
  readonly name: string;
  readonly value: number | Range;
  readonly unit: AuditUnit;
  /** How it is calculated. */
  readonly by: string;
  /** Where what goes into it is from. */
  readonly sources: readonly string[];
}

/** The figures about one question. */
export interface AuditSection {
  readonly title: string;
  readonly lines: readonly AuditLine[];
}
