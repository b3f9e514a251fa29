import { checkAbort, checkGenerateInput } from './check-generate-input.ts';
import {
  ABORT,
  DETOKENIZE,
  GENERATE,
  GET_SERVER_INFO,
  SUBSCRIBE_KV_EVENTS,
  TOKENIZE,
} from './inference-methods.ts';
import type {
  DetokenizeInput,
  GenerateEvent,
  GenerateInput,
  KvEventBatch,
  ServerInfo,
} from './inference-types.ts';
import type { RpcServer } from './server.ts';

/** Whatever can continue prompts; its requests are already checked. */
export interface InferenceEngine {
  /**
   * Accepted first, then the events of every sample, each with complete last; stops and frees what
   * the request holds when the signal fires.
   */
  generate(request: GenerateInput, signal: AbortSignal): AsyncIterable<GenerateEvent>;
  /**
   * Ends the requests of these names, at any moment and again: every sample that is open gets a
   * complete with the finish reason `abort`. Gives how many of them were still open.
   */
  abort(requestIds: readonly string[]): number;
  /** The token ids of a text, as a prompt has them. */
  tokenize(text: string): readonly number[];
  /** The text that token ids add. */
  detokenize(input: DetokenizeInput): string;
  /**
   * The batches from a number on, or from now on where it is undefined, until the signal fires.
   * Throws OUT_OF_RANGE where the log does not have that number.
   */
  kvEvents(
    startSequenceNumber: number | undefined,
    signal: AbortSignal,
  ): AsyncIterable<KvEventBatch>;
  serverInfo(): ServerInfo;
}

/** Puts an engine behind the Inference service. */
export function serveInference(server: RpcServer, engine: InferenceEngine): void {
  server.serverStreaming(GENERATE, (request, call) => {
    checkGenerateInput(request);
    return engine.generate(request, call.signal);
  });
  server.unary(ABORT, (requestIds) => {
    checkAbort(requestIds);
    return engine.abort(requestIds);
  });
  server.unary(TOKENIZE, (text) => engine.tokenize(text));
  server.unary(DETOKENIZE, (input) => engine.detokenize(input));
  server.serverStreaming(SUBSCRIBE_KV_EVENTS, (startSequenceNumber, call) =>
    engine.kvEvents(startSequenceNumber, call.signal),
  );
  server.unary(GET_SERVER_INFO, () => engine.serverInfo());
}
