import type { Subscription } from '../../bus/bus.ts';
import type { ShardFrame } from '../../core/collectives/frame.ts';

type Receiver = (frame: ShardFrame) => void;

/**
 * Carries frames between chips of one process, past the broker. They arrive after whatever the sender is
 * at, in their order, as those of the broker do.
 */
export class LocalLinks {
  readonly #receivers = new Map<number, Receiver>();
  #sent: { readonly frame: ShardFrame; readonly seat: number }[] = [];

  attach(seat: number, receiver: Receiver): Subscription {
    this.#receivers.set(seat, receiver);
    return { unsubscribe: () => this.#receivers.delete(seat) };
  }

  /** Sends a frame, whose payload may be reused after the call; false where the seat is elsewhere. */
  send(frame: ShardFrame, seat: number): boolean {
    if (!this.#receivers.has(seat)) return false;
    if (this.#sent.length === 0) queueMicrotask(() => this.#deliver());
    this.#sent.push({ frame: { ...frame, payload: frame.payload.slice() }, seat });
    return true;
  }

  #deliver(): void {
    const sent = this.#sent;
    this.#sent = [];
    for (const { frame, seat } of sent) this.#receivers.get(seat)?.(frame);
  }
}
