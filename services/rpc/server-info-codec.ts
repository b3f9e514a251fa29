import { sohu } from '#proto';
import type { ChipInfo, ServerInfo } from './inference-types.ts';

const { GetServerInfoResponse, ChipInfo: ChipInfoMessage } = sohu.v1;

export function encodeServerInfo(info: ServerInfo): Uint8Array {
  const lists = { eosTokenIds: [...info.eosTokenIds], chips: [...info.chips] };
  return GetServerInfoResponse.encode({ ...info, ...lists }).finish();
}

export function decodeServerInfo(bytes: Uint8Array): ServerInfo {
  const info = GetServerInfoResponse.decode(bytes);
  return {
    modelName: info.modelName,
    precision: info.precision,
    tensorParallelSize: info.tensorParallelSize,
    serverType: info.serverType,
    version: info.version,
    maxContextLength: info.maxContextLength,
    vocabSize: info.vocabSize,
    eosTokenIds: info.eosTokenIds,
    kvBlocks: info.kvBlocks,
    maxNumSeqs: info.maxNumSeqs,
    weights: info.weights === 'phantom' ? 'phantom' : 'checkpoint',
    chip: info.chip,
    software: info.software,
    speed: info.speed,
    chips: info.chips.map(decodeChip),
  };
}

function decodeChip(message: sohu.v1.ChipInfo.$Properties): ChipInfo {
  // The prototype of the message class supplies the default of every absent field.
  const chip = ChipInfoMessage.create(message);
  return {
    rank: chip.rank,
    pid: chip.pid,
    weightBytes: chip.weightBytes,
    hbmBytesUsed: chip.hbmBytesUsed,
    hbmBytesTotal: chip.hbmBytesTotal,
    bytesSent: chip.bytesSent,
    bytesReceived: chip.bytesReceived,
    computeMs: chip.computeMs,
    communicationMs: chip.communicationMs,
    steps: chip.steps,
    metricsAddress: chip.metricsAddress,
  };
}
