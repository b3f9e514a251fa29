import { sohu } from '#proto';
import type { ChipCounters, Report, ShardSample, StepReport } from '../cluster/messages.ts';
import type { LeafCandidates } from '../core/sampling/candidates.ts';
import { bytesToFloats, floatsToBytes } from './tensor-bytes.ts';

const ReportMessage = sohu.v1.Report;

/** Encodes what a chip tells its coordinator. */
export function encodeReport(report: Report): Uint8Array {
  return ReportMessage.encode({ rank: report.rank, ...reportBody(report) }).finish();
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
  if (hello) {
    return { kind: 'hello', rank, pid: hello.pid ?? 0, metricsAddress: hello.metricsAddress ?? '' };
  }
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
      const samples = report.samples.map(sampleBody);
      const { epoch, step, digest, counters } = report;
      return { report: { epoch, step, digest, counters, samples } };
    }
    case 'shardLogits': {
      const { epoch, step } = report;
      return { logits: { epoch, step, rows: report.rows.map(floatsToBytes) } };
    }
  }
}

function sampleBody(sample: ShardSample): sohu.v1.ShardSample.$Properties {
  if (sample.kind === 'candidate') return sample.candidate ? { candidate: sample.candidate } : {};
  const leaves = sample.leaves.map(({ candidates, exhaustive }) => ({
    tokens: candidates.map(({ token }) => token),
    logits: floatsToBytes(candidates.map(({ score }) => score)),
    exhaustive,
  }));
  return { nucleus: { ...sample.mass, leaves } };
}

function stepReportOf(
  rank: number,
  message: sohu.v1.StepReport.$Properties,
): StepReport | undefined {
  const samples = (message.samples ?? []).map(sampleOf);
  return {
    kind: 'report',
    rank,
    epoch: message.epoch ?? 0,
    step: message.step ?? 0,
    digest: message.digest ?? 0,
    samples,
    counters: countersOf(message.counters ?? {}),
  };
}

function sampleOf(message: sohu.v1.ShardSample.$Properties): ShardSample {
  const { candidate, nucleus } = message;
  if (!nucleus) {
    const winner = candidate && { token: candidate.token ?? 0, score: candidate.score ?? 0 };
    return { kind: 'candidate', candidate: winner ?? undefined };
  }
  return {
    kind: 'nucleus',
    mass: { maximum: nucleus.maximum ?? 0, sum: nucleus.sum ?? 0 },
    leaves: (nucleus.leaves ?? []).map(leafOf),
  };
}

function leafOf(message: sohu.v1.LeafCandidates.$Properties): LeafCandidates {
  const logits = bytesToFloats(message.logits ?? new Uint8Array(0));
  const candidates = (message.tokens ?? []).map((token, index) => ({
    token,
    score: logits?.[index] ?? Number.NEGATIVE_INFINITY,
  }));
  return { candidates, exhaustive: message.exhaustive ?? false };
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
  const rows = (message.rows ?? []).map(bytesToFloats);
  if (rows.some((row) => row === undefined)) return undefined;
  const { epoch, step } = message;
  const whole = rows as Float32Array[];
  return { kind: 'shardLogits', rank, epoch: epoch ?? 0, step: step ?? 0, rows: whole };
}
