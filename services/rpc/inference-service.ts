import { GENERATE, GET_SERVER_INFO } from './inference-methods.ts';
import type { GenerateEvent, GenerateInput, ServerInfo } from './inference-types.ts';
import { checkRequestSampling } from './request-sampling.ts';
import type { RpcServer } from './server.ts';

/** Whatever can continue prompts; its sampling parameters are already checked. */
export interface InferenceEngine {
  /**
   * Accepted first, complete last; stops and frees what the request holds when the signal fires.
   */
  generate(request: GenerateInput, signal: AbortSignal): AsyncIterable<GenerateEvent>;
  serverInfo(): ServerInfo;
}

/** Puts an engine behind the Inference service. */
export function serveInference(server: RpcServer, engine: InferenceEngine): void {
  server.serverStreaming(GENERATE, (request, call) => {
    checkRequestSampling(request.sampling);
    return engine.generate(request, call.signal);
  });
  server.unary(GET_SERVER_INFO, () => engine.serverInfo());
}
