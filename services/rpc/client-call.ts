import type { Credit } from './credit.ts';
import { CreditWindow } from './credit-window.ts';
import { EMPTY_METADATA, type Metadata } from './metadata.ts';
import type { EndBody, ServerFrame, ServerFrameBody } from './server-frame.ts';
import { LostFramesError, RpcError } from './status.ts';

export interface ClientCallOptions {
  /** Where its first frame goes. */
  readonly subject: string;
  /** Time for the first frame to arrive. */
  readonly connectTimeoutMs: number;
  /** Time between two frames; a server at work sends heartbeats. */
  readonly idleTimeoutMs: number;
  /** After so long without a frame the client asks whether the server is still there. */
  readonly probeAfterMs: number;
  /** Undefined means no limit. */
  readonly timeoutMs: number | undefined;
  /** What the server may send ahead of the reader. */
  readonly window: Credit;
  /** Lets the server send more; `serverGone` is to be called where there is none. */
  readonly grant: (grant: { readonly serverId: string; readonly credit: Credit }) => void;
}

/** What a reader receives, in order. */
export type ClientCallEvent =
  | { readonly kind: 'headers'; readonly headers: Metadata }
  | { readonly kind: 'message'; readonly payload: Uint8Array };

/**
 * The client's side of one call: puts the server's frames in order, buffers their messages within
 * the window that it grants, and grants more as they are read. It ends well only with the server's
 * word and every frame before it; all else is an error.
 */
export class ClientCall {
  readonly #options: ClientCallOptions;
  readonly #window: CreditWindow;
  readonly #deadline: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout;
  readonly #probe: NodeJS.Timeout;
  #sequence = 0;
  #messageCount = 0;
  #hasHeaders = false;
  #serverId: string | undefined;
  #events: ClientCallEvent[] = [];
  #outcome: 'open' | 'ok' | RpcError = 'open';
  #trailers: Metadata | undefined;
  #wake: () => void = () => {};

  constructor(options: ClientCallOptions) {
    this.#options = options;
    this.#window = new CreditWindow(options.window);
    const { connectTimeoutMs, timeoutMs } = options;
    this.#silence = setTimeout(() => {
      this.fail(new RpcError('UNAVAILABLE', `no server answered within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    this.#probe = setInterval(() => this.#grant(), options.probeAfterMs);
    if (timeoutMs === undefined) return;
    this.#deadline = setTimeout(() => {
      this.abort(new RpcError('DEADLINE_EXCEEDED', `the call took longer than ${timeoutMs} ms`));
    }, timeoutMs);
  }

  /** Known once the call is accepted. */
  get serverId(): string | undefined {
    return this.#serverId;
  }

  /** Set once the server itself has ended the call, so that there is nothing to cancel. */
  get trailers(): Metadata | undefined {
    return this.#trailers;
  }

  /** Takes the next frame; false where it is a duplicate or comes after the end. */
  receive({ sequence, body }: ServerFrame): boolean {
    if (this.#outcome !== 'open' || sequence < this.#sequence) return false;
    if (sequence > this.#sequence) {
      this.fail(new LostFramesError(`frame ${this.#sequence} of the call was lost`));
      return true;
    }
    this.#sequence += 1;
    this.#restartSilence();
    this.#handle(body);
    return true;
  }

  /** The broker has nobody to deliver a frame of this call to. */
  serverGone(): void {
    const hasStarted = this.#sequence > 0;
    const message = hasStarted ? 'the server is gone' : 'no server of the cluster is listening';
    this.fail(new RpcError('UNAVAILABLE', message));
  }

  /** The broker lets this connection not publish there. */
  forbidden(subject: string): void {
    if (subject !== this.#options.subject || this.#sequence > 0) return;
    const message = `the broker does not let this connection publish to ${subject}`;
    this.fail(new RpcError('PERMISSION_DENIED', message));
  }

  /** Ends the call with an error behind the messages that have arrived. */
  fail(error: RpcError): void {
    this.#settle(error);
  }

  /** Ends the call with an error at once. */
  abort(error: RpcError): void {
    this.#events = [];
    this.#settle(error);
  }

  /** The next event, or undefined after the last; throws where the call failed. */
  async next(): Promise<ClientCallEvent | undefined> {
    while (this.#events.length === 0 && this.#outcome === 'open') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const event = this.#events.shift();
    if (event?.kind === 'message') this.#take(event.payload.length);
    if (event !== undefined) return event;
    if (this.#outcome instanceof RpcError) throw this.#outcome;
    return undefined;
  }

  #handle(body: ServerFrameBody): void {
    switch (body.kind) {
      case 'accepted':
        this.#serverId = body.serverId;
        break;
      case 'headers':
        this.#bufferHeaders(body.headers);
        break;
      case 'message':
        this.#bufferMessage(body.payload);
        break;
      case 'end':
        this.#end(body);
        break;
    }
  }

  /** Only the first count: what a server repeats says nothing about the messages before it. */
  #bufferHeaders(headers: Metadata): void {
    if (this.#hasHeaders) return;
    this.#hasHeaders = true;
    this.#push({ kind: 'headers', headers });
  }

  #bufferMessage(payload: Uint8Array): void {
    this.#bufferHeaders(EMPTY_METADATA);
    if (!this.#window.receive(payload.length)) {
      this.fail(new RpcError('INTERNAL', 'the server sent more messages than it may'));
      return;
    }
    this.#messageCount += 1;
    this.#push({ kind: 'message', payload });
  }

  #push(event: ClientCallEvent): void {
    this.#events.push(event);
    this.#wake();
  }

  #take(bytes: number): void {
    if (this.#window.take(bytes)) this.#grant();
  }

  /** Grants are totals: to repeat one only asks whether the server is there. */
  #grant(): void {
    const serverId = this.#serverId;
    if (serverId === undefined || this.#outcome !== 'open') return;
    this.#options.grant({ serverId, credit: this.#window.granted });
  }

  #end({ status, messageCount, trailers }: EndBody): void {
    this.#trailers = trailers;
    const { code, message, details } = status;
    if (code !== 'OK') this.#settle(new RpcError(code, message, { details }));
    else if (messageCount === this.#messageCount) {
      this.#bufferHeaders(EMPTY_METADATA);
      this.#settle('ok');
    } else {
      const counts = `${this.#messageCount} of ${messageCount}`;
      this.#settle(new LostFramesError(`only ${counts} messages of the call arrived`));
    }
  }

  #settle(outcome: 'ok' | RpcError): void {
    if (this.#outcome === 'open') this.#outcome = outcome;
    clearTimeout(this.#silence);
    clearInterval(this.#probe);
    clearTimeout(this.#deadline);
    this.#wake();
  }

  #restartSilence(): void {
    const { idleTimeoutMs } = this.#options;
    this.#probe.refresh();
    if (this.#sequence > 1) {
      this.#silence.refresh();
      return;
    }
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.fail(new RpcError('UNAVAILABLE', `the server was silent for ${idleTimeoutMs} ms`));
    }, idleTimeoutMs);
  }
}
