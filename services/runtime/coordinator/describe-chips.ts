import type { Coordinator } from '../../cluster/coordinator.ts';
import type { Member } from '../../cluster/membership.ts';
import type { ChipSpec } from '../../core/hardware/chip.ts';
import type { ChipInfo } from '../../rpc/inference-types.ts';

/** What the chips of a group last said of themselves. */
export function describeChips(coordinator: Coordinator, chip: ChipSpec): readonly ChipInfo[] {
  return coordinator.members.map((member) => describeChip(coordinator, member, chip));
}

function describeChip(
  coordinator: Coordinator,
  { rank, hello, ready }: Member,
  { hbmBytes }: ChipSpec,
): ChipInfo {
  const counters = coordinator.countersOf(rank);
  const kvBytes = (coordinator.scheduler?.usedBlocks ?? 0) * (ready?.kvBytesPerBlock ?? 0);
  return {
    rank,
    pid: hello.pid,
    weightBytes: ready?.weightBytes ?? 0,
    hbmBytesUsed: (ready?.weightBytes ?? 0) + (ready?.activationBytes ?? 0) + kvBytes,
    hbmBytesTotal: hbmBytes,
    bytesSent: counters?.bytesSent ?? 0,
    bytesReceived: counters?.bytesReceived ?? 0,
    computeMs: (counters?.computeMicros ?? 0) / 1000,
    communicationMs: (counters?.communicationMicros ?? 0) / 1000,
    steps: counters?.steps ?? 0,
    metricsAddress: hello.metricsAddress,
  };
}
