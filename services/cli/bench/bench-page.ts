import type { Report } from '../../report/report.ts';
import { figuresTable, latencySection } from '../terminal/page-parts.ts';
import { type BenchRun, benchObject } from './bench-report.ts';

/** A load test: the latencies that clients saw, and every figure of `--json`. */
export function pageOfBench(run: BenchRun): Report {
  const { target, result } = run;
  return {
    title: `${target.model} at ${target.address}: host time`,
    lead: [],
    sections: [
      latencySection(result.report, 'Host time'),
      {
        title: 'Every figure',
        blocks: [figuresTable('As --json names them', benchObject(run))],
      },
    ],
  };
}
