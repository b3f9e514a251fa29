import type { ServerFrame } from './frames.ts';
import { RpcError } from './status.ts';

export interface ClientCallOptions {
  /** Time for the first frame to arrive. */
  readonly connectTimeoutMs: number;
  /** Time between two frames; a server at work sends heartbeats. */
  readonly idleTimeoutMs: number;
  /** Undefined means no limit. */
  readonly timeoutMs: number | undefined;
  readonly maxBufferedMessages: number;
  readonly maxBufferedBytes: number;
}

/**
 * The client's side of one call: puts the server's frames in order and buffers their messages. It
 * ends well only with the server's word and every frame before it; all else is an error.
 */
export class ClientCall {
  readonly #options: ClientCallOptions;
  readonly #deadline: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout;
  #sequence = 0;
  #messageCount = 0;
  #serverId: string | undefined;
  #messages: Uint8Array[] = [];
  #bufferedBytes = 0;
  #outcome: 'open' | 'ok' | RpcError = 'open';
  #endedByServer = false;
  #wake: () => void = () => {};

  constructor(options: ClientCallOptions) {
    this.#options = options;
    const { connectTimeoutMs, timeoutMs } = options;
    this.#silence = setTimeout(() => {
      this.fail(new RpcError('UNAVAILABLE', `no server answered within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    if (timeoutMs === undefined) return;
    this.#deadline = setTimeout(() => {
      this.abort(new RpcError('DEADLINE_EXCEEDED', `the call took longer than ${timeoutMs} ms`));
    }, timeoutMs);
  }

  /** Known once the call is accepted. */
  get serverId(): string | undefined {
    return this.#serverId;
  }

  /** Whether the server itself ended the call, so that there is nothing to cancel. */
  get endedByServer(): boolean {
    return this.#endedByServer;
  }

  get hasStarted(): boolean {
    return this.#sequence > 0;
  }

  /** Takes the next frame; false where it is a duplicate or comes after the end. */
  receive({ sequence, body }: ServerFrame): boolean {
    if (this.#outcome !== 'open' || sequence < this.#sequence) return false;
    if (sequence > this.#sequence) {
      this.fail(new RpcError('DATA_LOSS', `frame ${this.#sequence} of the call was lost`));
      return true;
    }
    this.#sequence += 1;
    this.#restartSilence();
    if (body.kind === 'accepted') this.#serverId = body.serverId;
    if (body.kind === 'message') this.#buffer(body.payload);
    if (body.kind === 'end') this.#end(body);
    return true;
  }

  /** Ends the call with an error behind the messages that have arrived. */
  fail(error: RpcError): void {
    this.#settle(error);
  }

  /** Ends the call with an error at once. */
  abort(error: RpcError): void {
    this.#messages = [];
    this.#settle(error);
  }

  /** The next message, or undefined after the last; throws where the call failed. */
  async next(): Promise<Uint8Array | undefined> {
    while (this.#messages.length === 0 && this.#outcome === 'open') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#bufferedBytes -= message.length;
      return message;
    }
    if (this.#outcome instanceof RpcError) throw this.#outcome;
    return undefined;
  }

  #buffer(payload: Uint8Array): void {
    const { maxBufferedMessages, maxBufferedBytes } = this.#options;
    this.#messageCount += 1;
    this.#bufferedBytes += payload.length;
    if (this.#messages.length >= maxBufferedMessages || this.#bufferedBytes > maxBufferedBytes) {
      this.fail(
        new RpcError(
          'RESOURCE_EXHAUSTED',
          `the reader is too slow: ${this.#messages.length} messages are waiting for it`,
        ),
      );
      return;
    }
    this.#messages.push(payload);
    this.#wake();
  }

  #end({ status, messageCount }: Extract<ServerFrame['body'], { kind: 'end' }>): void {
    this.#endedByServer = true;
    if (status.code !== 'OK') this.#settle(new RpcError(status.code, status.message));
    else if (messageCount === this.#messageCount) this.#settle('ok');
    else {
      const counts = `${this.#messageCount} of ${messageCount}`;
      this.#settle(new RpcError('DATA_LOSS', `only ${counts} messages of the call arrived`));
    }
  }

  #settle(outcome: 'ok' | RpcError): void {
    if (this.#outcome === 'open') this.#outcome = outcome;
    clearTimeout(this.#silence);
    clearTimeout(this.#deadline);
    this.#wake();
  }

  #restartSilence(): void {
    const { idleTimeoutMs } = this.#options;
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
