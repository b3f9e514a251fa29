import type { Command, Report } from '../../cluster/messages.ts';
import type { ShardFrame } from '../../core/collectives/frame.ts';
import type { DecodedFrame } from '../../wire/frame-codec.ts';
import type { MessageCodec } from './message-codec.ts';
import type { Endpoint, Letter, Network } from './network.ts';
import type { Timeline } from './timeline.ts';

/** From whom a message goes to whom. */
export interface Route {
  readonly from: Endpoint;
  readonly to: readonly Endpoint[];
}

export interface PostOfficeOptions {
  readonly timeline: Timeline;
  readonly network: () => Network;
  /** Undefined lets messages travel as they are. */
  readonly codec: MessageCodec | undefined;
  readonly toChip: (seat: number, command: Command) => void;
  readonly frameToChip: (seat: number, decoded: DecodedFrame) => void;
  readonly toCoordinator: (report: Report) => void;
}

/** Encodes messages, lets a network decide what becomes of them, and delivers what arrives. */
export class PostOffice {
  readonly #options: PostOfficeOptions;

  constructor(options: PostOfficeOptions) {
    this.#options = options;
  }

  /** Sends a frame; its payload may be reused after the call. Returns the bytes that go out. */
  sendFrame(frame: ShardFrame, route: Route): number {
    const { codec, frameToChip } = this.#options;
    const data = codec?.encodeFrame(frame);
    const copy = data === undefined ? { ...frame, payload: frame.payload.slice() } : undefined;
    this.#carry('frame', route, data, (to, bytes, isDamaged) => {
      if (bytes !== undefined) frameToChip(to as number, codec!.decodeFrame(bytes));
      else if (isDamaged) frameToChip(to as number, { kind: 'corrupt' });
      else frameToChip(to as number, { kind: 'frame', frame: copy! });
    });
    return data?.length ?? frame.payload.length;
  }

  sendCommand(command: Command, route: Route): void {
    const { codec, toChip } = this.#options;
    this.#carry('command', route, codec?.encodeCommand(command), (to, bytes, isDamaged) => {
      const decoded = bytes === undefined ? command : codec!.decodeCommand(bytes);
      if (decoded !== undefined && !isDamaged) toChip(to as number, decoded);
    });
  }

  sendReport(report: Report, from: number): void {
    const { codec, toCoordinator } = this.#options;
    // Rows of logits are the memory of a chip, which the next step overwrites.
    const copy = codec === undefined ? copyReport(report) : report;
    const route: Route = { from, to: ['coordinator'] };
    this.#carry('report', route, codec?.encodeReport(report), (_, bytes, isDamaged) => {
      const decoded = bytes === undefined ? copy : codec!.decodeReport(bytes);
      if (decoded !== undefined && !isDamaged) toCoordinator(decoded);
    });
  }

  #carry(
    kind: Letter['kind'],
    { from, to }: Route,
    data: Uint8Array | undefined,
    deliver: (to: Endpoint, data: Uint8Array | undefined, isDamaged: boolean) => void,
  ): void {
    const { timeline, network } = this.#options;
    for (const receiver of to) {
      for (const arrival of network().carry({ kind, from, to: receiver, data })) {
        timeline.after(arrival.delayMicros, () =>
          deliver(receiver, arrival.data, arrival.isDamaged),
        );
      }
    }
  }
}

function copyReport(report: Report): Report {
  if (report.kind !== 'shardLogits') return report;
  return { ...report, logits: report.logits.slice(), raw: report.raw?.slice() };
}
