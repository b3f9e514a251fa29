import { findNamed } from '../support/nearest.ts';
import type { Chip } from './chip.ts';
import { A100 } from './chips/a100.ts';
import { B200 } from './chips/b200.ts';
import { GB200 } from './chips/gb200.ts';
import { GROQ_LPU } from './chips/groq-lpu.ts';
import { H100 } from './chips/h100.ts';
import { H200 } from './chips/h200.ts';
import { L40S } from './chips/l40s.ts';
import { MI300X } from './chips/mi300x.ts';
import { SOHU } from './chips/sohu.ts';
import { TPU_V5P } from './chips/tpu-v5p.ts';
import { TPU_V6E } from './chips/tpu-v6e.ts';
import { WORMHOLE } from './chips/wormhole.ts';
import { WSE_3 } from './chips/wse-3.ts';

/** Every chip with a data file. */
export const CHIPS: readonly Chip[] = [
  SOHU,
  A100,
  L40S,
  H100,
  H200,
  B200,
  GB200,
  MI300X,
  TPU_V5P,
  TPU_V6E,
  GROQ_LPU,
  WSE_3,
  WORMHOLE,
];

/** The chip of that name or alias; an InvalidArgumentError names the nearest otherwise. */
export function findChip(name: string): Chip {
  return findNamed(CHIPS, name, {
    field: 'chip',
    namesOf: (chip) => [chip.name, ...chip.aliases],
  });
}
