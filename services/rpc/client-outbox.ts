import type { Bus } from '../bus/bus.ts';
import { encodeClientFrame, type OpenFrame } from './client-frame.ts';
import type { Credit } from './credit.ts';
import { RpcError } from './status.ts';
import { type ApiSubjects, isReplySubject } from './subjects.ts';

/** What a client publishes about its calls, and where. */
export class ClientOutbox {
  readonly #bus: Bus;
  readonly #subjects: ApiSubjects;

  constructor(bus: Bus, subjects: ApiSubjects) {
    this.#bus = bus;
    this.#subjects = subjects;
  }

  /** Starts a call at a method's subject; UNAVAILABLE without a connection. */
  open(
    call: Omit<OpenFrame, 'kind'>,
    { subject, replyTo }: { readonly subject: string; readonly replyTo: string },
  ): void {
    const data = encodeClientFrame({ ...call, kind: 'open' });
    try {
      this.#bus.publish(subject, data, { replyTo });
    } catch (error) {
      throw new RpcError('UNAVAILABLE', 'the connection to the broker is closed', { cause: error });
    }
  }

  /** Ends a call early; every server hears of it where its own is not known. */
  cancel(call: {
    readonly callId: string;
    readonly serverId: string | undefined;
    readonly reason: string;
  }): void {
    const { callId, serverId, reason } = call;
    const subject =
      serverId === undefined ? this.#subjects.controlOfAll() : this.#subjects.control(serverId);
    this.#attempt(subject, encodeClientFrame({ kind: 'cancel', callId, reason }));
  }

  /** Lets a server send more; an empty message to `replyTo` says that the server is gone. */
  grant(
    call: { readonly callId: string; readonly serverId: string; readonly credit: Credit },
    replyTo: string,
  ): void {
    const { callId, serverId, credit } = call;
    const frame = encodeClientFrame({ kind: 'credit', callId, credit });
    this.#attempt(this.#subjects.control(serverId), frame, replyTo);
  }

  /** Answers a heartbeat of a call that the client does not have, as the broker would for nobody. */
  disown(replyTo: string): void {
    if (isReplySubject(replyTo)) this.#attempt(replyTo, new Uint8Array());
  }

  /** Without a connection the server is not reachable, and the call itself fails for that. */
  #attempt(subject: string, data: Uint8Array, replyTo?: string): void {
    try {
      this.#bus.publish(subject, data, replyTo === undefined ? {} : { replyTo });
    } catch {
      // Nobody waits for it.
    }
  }
}
