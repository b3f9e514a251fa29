import type { KernelParameters, VersionParameters } from './calibration-model.ts';
import { type ChipRates, peakFlopsOf } from './chip-rates.ts';
import type { Cost } from './operator.ts';

/** What a byte costs that passes through kernels which compute next to nothing. */
export interface ElementwisePass {
  readonly streamSecondsPerByte: number;
  /** What such kernels take beyond streaming: instructions, that scale with the chip’s cores. */
  readonly issueSecondsPerByte: number;
  /** Share of the bytes that go to memory at all. */
  readonly streamShare: number;
}

/**
 * A version's factor up to 1 is the streaming that it does not fuse away. What is above 1 was not
 * waiting for memory, and goes with the dense peak as it did on the chip that was measured.
 */
export function elementwisePassOf(options: {
  readonly rates: ChipRates;
  readonly kernels: KernelParameters;
  readonly version: VersionParameters;
}): ElementwisePass {
  const { rates, kernels, version } = options;
  const streamShare = Math.min(1, version.elementwiseFactor);
  const issueBytesPerSecond =
    peakFlopsOf(rates, 'bf16') * kernels.measuredBytesPerFlop * kernels.memoryEfficiency;
  return {
    streamShare,
    streamSecondsPerByte: streamShare / rates.memoryBytesPerSecond,
    issueSecondsPerByte: (version.elementwiseFactor - streamShare) / issueBytesPerSecond,
  };
}

/** Adds a pass over that many bytes. */
export function addPass(cost: Cost, bytes: number, pass: ElementwisePass): void {
  cost.memorySeconds += bytes * pass.streamSecondsPerByte;
  cost.computeSeconds += bytes * pass.issueSecondsPerByte;
  cost.memoryBytes += bytes * pass.streamShare;
}
