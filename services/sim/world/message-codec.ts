import type { Command, Report } from '../../cluster/messages.ts';
import type { ShardFrame } from '../../core/collectives/frame.ts';
import { decodeCommand, encodeCommand } from '../../wire/command-codec.ts';
import { type DecodedFrame, decodeFrame, encodeFrame } from '../../wire/frame-codec.ts';
import { decodeReport, encodeReport } from '../../wire/report-codec.ts';

/** How messages become bytes and come back. */
export interface MessageCodec {
  encodeFrame(frame: ShardFrame): Uint8Array;
  decodeFrame(data: Uint8Array): DecodedFrame;
  encodeCommand(command: Command): Uint8Array;
  decodeCommand(data: Uint8Array): Command | undefined;
  encodeReport(report: Report): Uint8Array;
  decodeReport(data: Uint8Array): Report | undefined;
}

/** The wire's own. */
export const WIRE_CODEC: MessageCodec = {
  encodeFrame,
  decodeFrame,
  encodeCommand,
  decodeCommand,
  encodeReport,
  decodeReport,
};
