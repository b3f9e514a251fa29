import { once } from 'node:events';
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { type CallOptions, MAX_TIMEOUT_MS } from '../rpc/call-options.ts';
import type { RpcClient } from '../rpc/client.ts';
import { EMPTY_METADATA, type Metadata } from '../rpc/metadata.ts';
import { RpcError } from '../rpc/status.ts';
import { toGrpcError } from './grpc-error.ts';
import { fromGrpcMetadata, toGrpcMetadata } from './grpc-metadata.ts';
import type { BytesMethod } from './grpc-services.ts';

/** The server's side of a call in gRPC. */
export type GrpcCall =
  | ServerWritableStream<Uint8Array, Uint8Array>
  | ServerDuplexStream<Uint8Array, Uint8Array>;

/** One call of gRPC on its way over the bus, and its answers on their way back. */
export class ForwardedCall {
  readonly #client: RpcClient;
  readonly #call: GrpcCall;
  readonly #controller = new AbortController();
  #trailers: Metadata = EMPTY_METADATA;

  constructor(client: RpcClient, call: GrpcCall) {
    this.#client = client;
    this.#call = call;
    // The library ends calls beyond their deadlines by itself, and says the same of them.
    call.on('cancelled', () => this.abort(new RpcError('CANCELLED', 'the client left the call')));
  }

  /** Ends the call with an error, whatever it is waiting for. */
  abort(error: RpcError): void {
    this.#controller.abort(error);
  }

  /** Answers every request in turn; never rejects. */
  async run(method: BytesMethod, requests: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const request of requests) await this.#forward(method, request);
      this.#call.end(toGrpcMetadata(this.#trailers));
    } catch (error) {
      if (this.#call.cancelled) return; // Nobody is there to be told.
      this.#call.emit('error', toGrpcError(RpcError.from(error), this.#trailers));
    }
  }

  async #forward(method: BytesMethod, request: Uint8Array): Promise<void> {
    const responses = this.#client.callServerStreaming(method, request, this.#options());
    for await (const response of responses) await this.#write(response);
  }

  /** Waits while the client does not read: meanwhile nothing more is asked of the bus. */
  async #write(response: Uint8Array): Promise<void> {
    const { signal } = this.#controller;
    if (this.#call.write(response) || signal.aborted) return;
    try {
      await once(this.#call, 'drain', { signal });
    } catch (error) {
      throw signal.aborted ? RpcError.fromAbort(signal.reason) : error;
    }
  }

  #options(): CallOptions {
    return {
      signal: this.#controller.signal,
      timeoutMs: timeoutUntil(this.#call.getDeadline()),
      metadata: fromGrpcMetadata(this.#call.metadata),
      onHeader: (headers) => this.#call.sendMetadata(toGrpcMetadata(headers)),
      onTrailer: (trailers) => {
        this.#trailers = trailers;
      },
    };
  }
}

/** Milliseconds that are left; undefined where there is no limit that a timer could keep. */
function timeoutUntil(deadline: Date | number): number | undefined {
  const leftMs = Math.ceil(Number(deadline) - Date.now());
  return leftMs <= MAX_TIMEOUT_MS ? Math.max(1, leftMs) : undefined;
}
