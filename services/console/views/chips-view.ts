import type { ChipStatus } from '../../rpc/telemetry-types.ts';
import type { ConsoleState } from '../console-state.ts';
import { type Panel, panelList, setData } from '../dom.ts';
import { bytes, duration, percent } from '../format.ts';

/** One tile for each chip, by rank. */
export class ChipsView {
  readonly #tiles = panelList('#chips', 'chip');

  draw({ snapshot }: ConsoleState): void {
    this.#tiles.fill(snapshot?.chips ?? [], drawChip);
  }
}

function drawChip(tile: Panel, chip: ChipStatus): void {
  const { rank, state, mfu, hbmBandwidth, linkBandwidth, busy } = chip;
  setData(tile.root, 'rank', String(rank));
  setData(tile.field('state'), 'state', state);
  tile.texts({
    ...{ rank: String(rank), state },
    mfu: percent(mfu),
    hbmBandwidth: percent(hbmBandwidth),
    linkBandwidth: percent(linkBandwidth),
    busy: percent(busy),
    droppedFrames: String(chip.droppedFrames),
  });
  tile.bar('mfu', mfu);
  tile.bar('hbmBandwidth', hbmBandwidth);
  tile.bar('linkBandwidth', linkBandwidth);
  tile.bar('busy', busy);
  drawMemory(tile, chip);
  drawStep(tile, chip);
}

function drawMemory(tile: Panel, chip: ChipStatus): void {
  const { hbmWeightBytes, hbmKvBytes, hbmKvReservedBytes, hbmActivationBytes } = chip;
  const total = chip.hbmTotalBytes;
  const used = hbmWeightBytes + hbmKvReservedBytes + hbmActivationBytes;
  const part = (value: number): number => (total === 0 ? 0 : value / total);
  tile.bar('weights', part(hbmWeightBytes));
  tile.bar('kv', part(hbmKvBytes));
  tile.bar('reserved', part(hbmKvReservedBytes - hbmKvBytes));
  tile.bar('activations', part(hbmActivationBytes));
  const kv = `KV ${bytes(hbmKvBytes)} / ${bytes(hbmKvReservedBytes)}`;
  tile.texts({
    memory: `${bytes(used)} of ${bytes(total)}`,
    memoryParts: `weights ${bytes(hbmWeightBytes)} · ${kv} · act. ${bytes(hbmActivationBytes)}`,
  });
}

function drawStep(tile: Panel, { stepComputeMs, stepCommunicationMs }: ChipStatus): void {
  const total = stepComputeMs + stepCommunicationMs;
  tile.bar('compute', total === 0 ? 0 : stepComputeMs / total);
  tile.bar('communication', total === 0 ? 0 : stepCommunicationMs / total);
  tile.texts({
    step: duration(total),
    stepParts: `compute ${duration(stepComputeMs)} · communication ${duration(stepCommunicationMs)}`,
  });
}
