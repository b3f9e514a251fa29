import { sohu } from '#proto';
import type { ChipCounters, Hello, Report, StepReport } from '../cluster/messages.ts';
import { decodeLogprobs, decodeSample, encodeLogprobs, encodeSample } from './sample-codec.ts';
import { decodeStepTimes, encodeStepTimes } from './step-times-codec.ts';
import { bytesToFloats, floatsToBytes } from './tensor-bytes.ts';

const ReportMessage = sohu.v1.Report;

/** Encodes what a chip tells its coordinator. */
export function encodeReport(report: Report): Uint8Array {
  const rank = report.kind === 'hello' ? 0 : report.rank;
  return ReportMessage.encode({ rank, ...reportBody(report) }).finish();
}

/** Decodes a report; undefined where the bytes are none. */
export function decodeReport(data: Uint8Array): Report | undefined {
  let message: sohu.v1.Report;
  try {
    message = ReportMessage.decode(data);
  } catch {
    return undefined;
  }
  const { rank, hello, progress, ready, refused, report, logits } = message;
  if (hello) return helloOf(hello);
  if (progress) {
    return { kind: 'progress', rank, loaded: progress.loaded ?? 0, total: progress.total ?? 0 };
  }
  if (ready) {
    return {
      kind: 'ready',
      rank,
      epoch: ready.epoch ?? 0,
      kvBlocks: ready.kvBlocks ?? 0,
      weightBytes: ready.weightBytes ?? 0,
      activationBytes: ready.activationBytes ?? 0,
      kvBytesPerBlock: ready.kvBytesPerBlock ?? 0,
    };
  }
  if (refused) return { kind: 'refused', rank, message: refused.message ?? '' };
  if (report) return stepReportOf(rank, report);
  return logits ? logitsOf(rank, logits) : undefined;
}

function reportBody(report: Report): sohu.v1.Report.$Properties {
  switch (report.kind) {
    case 'hello':
      return { hello: report };
    case 'progress':
      return { progress: report };
    case 'ready':
      return { ready: report };
    case 'refused':
      return { refused: report };
    case 'report': {
      const samples = report.samples.map(encodeSample);
      const { epoch, step, digest, counters } = report;
      const times = report.times ? encodeStepTimes(report.times) : null;
      const tokens = [...report.tokens];
      const prompt = report.prompt.map(encodeLogprobs);
      return { report: { epoch, step, digest, counters, samples, prompt, times, tokens } };
    }
    case 'shardLogits': {
      const { epoch, step, sample, raw } = report;
      const logits = floatsToBytes(report.logits);
      return { logits: { epoch, step, sample, logits, raw: raw ? floatsToBytes(raw) : null } };
    }
  }
}

function helloOf(message: sohu.v1.Hello.$Properties): Hello {
  return {
    kind: 'hello',
    seat: message.seat ?? 0,
    pid: message.pid ?? 0,
    epoch: message.epoch ?? 0,
    metricsAddress: message.metricsAddress ?? '',
  };
}

function stepReportOf(
  rank: number,
  message: sohu.v1.StepReport.$Properties,
): StepReport | undefined {
  const samples = (message.samples ?? []).map(decodeSample);
  return {
    kind: 'report',
    rank,
    epoch: message.epoch ?? 0,
    step: message.step ?? 0,
    digest: message.digest ?? 0,
    samples,
    prompt: (message.prompt ?? []).map(decodeLogprobs),
    tokens: message.tokens ?? [],
    counters: countersOf(message.counters ?? {}),
    times: message.times ? decodeStepTimes(message.times) : undefined,
  };
}

function countersOf(message: sohu.v1.ChipCounters.$Properties): ChipCounters {
  return {
    steps: message.steps ?? 0,
    bytesSent: message.bytesSent ?? 0,
    bytesReceived: message.bytesReceived ?? 0,
    computeMicros: message.computeMicros ?? 0,
    communicationMicros: message.communicationMicros ?? 0,
    droppedFrames: message.droppedFrames ?? 0,
  };
}

function logitsOf(rank: number, message: sohu.v1.ShardLogits.$Properties): Report | undefined {
  const logits = bytesToFloats(message.logits ?? new Uint8Array(0));
  const raw = message.raw ? bytesToFloats(message.raw) : undefined;
  if (logits === undefined || (message.raw && raw === undefined)) return undefined;
  const { epoch, step, sample } = message;
  const identity = { rank, epoch: epoch ?? 0, step: step ?? 0, sample: sample ?? 0 };
  return { kind: 'shardLogits', ...identity, logits, raw };
}
