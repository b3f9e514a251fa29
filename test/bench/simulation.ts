import { readTraceFile } from '../../services/cli/trace-file.ts';
import { findArchitecture } from '../../services/checkpoint/model-catalogue.ts';
import { findChip } from '../../services/core/hardware/chip-catalogue.ts';
import { makePricer, planLoad } from '../../services/core/timing/load-price.ts';
import { findSoftwareVersion } from '../../services/core/timing/software-version.ts';
import { packagePath } from '../../services/runtime/package-info.ts';
import { simulateCapacity } from '../../services/sim/capacity/simulate-capacity.ts';

const requests = readTraceFile(process.argv[2]!);
const software = findSoftwareVersion(process.argv[3] ?? 'trtllm-1.0');
const placed = {
  architecture: findArchitecture(process.argv[4] ?? 'llama-3-70b', packagePath('models/catalogue')),
  chip: findChip('H100'),
  layout: { tp: 8, pp: 1, ep: 1, dp: 1 },
  precision: { weights: 'fp8', kv: 'fp8' } as const,
  software, maxNumBatchedTokens: software.maxNumBatchedTokens, maxNumSeqs: software.maxNumSeqs,
};
const plan = planLoad(placed);
for (let i = 0; i < 2; i++) {
const t0 = performance.now();
const report = simulateCapacity({
  pricer: makePricer(placed, 'middle'), requests, maxConcurrency: Infinity, routing: 'least_loaded', goals: {},
  scheduler: { maxNumSeqs: placed.maxNumSeqs, maxNumBatchedTokens: placed.maxNumBatchedTokens, longPrefillTokenThreshold: 0, schedulingPolicy: 'fcfs',
    capacitySchedulerPolicy: software.kvReservation === 'whole' ? 'guaranteed_no_evict' : 'max_utilization', watermark: 0, enablePrefixCaching: process.argv[5] !== 'nopc', maxNumQueuedReqs: 1e9, maxNumQueuedTokens: undefined,
    maxModelLen: placed.architecture.maxPositions, blockSize: 16, kvBlocks: Math.floor(plan.kvTokens / 16), stopTokenIds: [] },
});
const s = (performance.now() - t0) / 1000;
console.log(JSON.stringify(report));
console.log(s, 'x', report.seconds / s, 'seqsteps/s', report.sequenceSteps / s, process.memoryUsage().rss / 1e6);
}
