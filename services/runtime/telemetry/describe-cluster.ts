import type { Coordinator, LastReports } from '../../cluster/coordinator.ts';
import type { Member } from '../../cluster/membership.ts';
import type { ChipCounters } from '../../cluster/messages.ts';
import { type Chip, productName } from '../../core/hardware/chip.ts';
import { CALIBRATION } from '../../core/timing/calibration.ts';
import { idleWattsOf } from '../../core/timing/power-limit.ts';
import type { ChipStatus, EngineLoad, EngineRates } from '../../rpc/telemetry-types.ts';
import { chipUuid } from './chip-identity.ts';
import type { WindowMeans } from './step-window.ts';

export function describeLoad(
  { scheduler }: Coordinator,
  limits: { readonly maxNumSeqs: number; readonly blockSize: number; readonly kvBlocks: number },
  steps: number,
): EngineLoad {
  const stats = scheduler?.stats;
  return {
    ...limits,
    waiting: scheduler?.waitingCount ?? 0,
    running: scheduler?.runningCount ?? 0,
    kvBlocksUsed: scheduler?.usedBlocks ?? 0,
    steps,
    preemptions: stats?.preemptions ?? 0,
    prefixCacheQueries: stats?.prefixCacheQueries ?? 0,
    prefixCacheHits: stats?.prefixCacheHits ?? 0,
  };
}

export function describeRates({ totals, seconds, busy }: WindowMeans): EngineRates {
  const { steps, promptTokens, generatedTokens, hostMicros, deviceSeconds } = totals;
  const perDevice = (amount: number): number => (deviceSeconds > 0 ? amount / deviceSeconds : 0);
  const perStep = (amount: number): number => (steps > 0 ? amount / steps : 0);
  return {
    windowSeconds: seconds,
    busy,
    stepsPerSecond: steps / seconds,
    promptTokensPerSecond: promptTokens / seconds,
    generatedTokensPerSecond: generatedTokens / seconds,
    devicePromptTokensPerSecond: perDevice(promptTokens),
    deviceGeneratedTokensPerSecond: perDevice(generatedTokens),
    stepMs: perStep(hostMicros) / 1000,
    deviceStepMs: perStep(deviceSeconds) * 1000,
  };
}

/** One chip: what it said of itself, and its share of what the group does. */
export function describeChip(
  member: Member,
  of: {
    /** What is modelled. */
    readonly chip: Chip;
    readonly place: { readonly cluster: string; readonly group: string };
    readonly means: WindowMeans;
    readonly chips: number;
    readonly usedBlocks: number;
    readonly reports: LastReports;
  },
): ChipStatus {
  const { rank, hello, ready } = member;
  const { busy, mfu, hbmBandwidth, linkBandwidth, busyWatts } = of.means;
  const { last: counters } = of.reports;
  const lastStep = lastStepOf(of.reports);
  const blockBytes = ready?.kvBytesPerBlock ?? 0;
  return {
    seat: hello.seat,
    rank,
    name: productName(of.chip),
    uuid: chipUuid({ ...of.place, seat: hello.seat }),
    pid: hello.pid,
    metricsAddress: hello.metricsAddress,
    state: ready === undefined ? 'joining' : 'ready',
    ...{ busy, mfu, hbmBandwidth, linkBandwidth },
    powerWatts:
      busyWatts / of.chips + (1 - busy) * idleWattsOf(of.chip, CALIBRATION.kernels.power!),
    hbmWeightBytes: ready?.weightBytes ?? 0,
    hbmKvBytes: of.usedBlocks * blockBytes,
    hbmKvReservedBytes: (ready?.kvBlocks ?? 0) * blockBytes,
    hbmActivationBytes: ready?.activationBytes ?? 0,
    hbmTotalBytes: of.chip.hbmBytes,
    stepComputeMs: (lastStep?.computeMicros ?? 0) / 1000,
    stepCommunicationMs: (lastStep?.communicationMicros ?? 0) / 1000,
    steps: counters?.steps ?? 0,
    bytesSent: counters?.bytesSent ?? 0,
    bytesReceived: counters?.bytesReceived ?? 0,
    droppedFrames: counters?.droppedFrames ?? 0,
  };
}

/** What a chip's last step took of it; unknown until it has reported twice since it began anew. */
function lastStepOf({
  last,
  before,
}: LastReports): Pick<ChipCounters, 'computeMicros' | 'communicationMicros'> | undefined {
  if (last === undefined || before === undefined || last.steps <= before.steps) return undefined;
  return {
    computeMicros: last.computeMicros - before.computeMicros,
    communicationMicros: last.communicationMicros - before.communicationMicros,
  };
}
