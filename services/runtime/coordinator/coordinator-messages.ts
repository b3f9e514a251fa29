import type { Pace } from '../../cluster/pacer.ts';
import type { LoadReport } from '../load/load-report.ts';

/** What a coordinator process tells the process that started it. */
export type CoordinatorMessage =
  | {
      readonly kind: 'loading';
      readonly rank: number;
      readonly loaded: number;
      readonly total: number;
    }
  | { readonly kind: 'ready'; readonly kvBlocks: number; readonly metricsAddress: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'pace'; readonly pace: Pace }
  /** What an offered load came to. */
  | { readonly kind: 'load'; readonly report: LoadReport };
