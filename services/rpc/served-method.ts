import { InvalidArgumentError } from '../core/support/errors.ts';
import type { CallContext } from './call-context.ts';
import { type Interceptor, intercept } from './interceptor.ts';
import { type AnyMethod, type Method, methodName } from './method.ts';
import { MethodStats } from './method-stats.ts';
import { RpcError } from './status.ts';

export type ServerInterceptor = Interceptor<CallContext>;

export type StreamingHandler<Request, Response> = (
  request: Request,
  call: CallContext,
) => AsyncIterable<Response>;

export type UnaryHandler<Request, Response> = (
  request: Request,
  call: CallContext,
) => Response | Promise<Response>;

/** A method and its handler, as bytes. */
export interface ServedMethod {
  readonly name: string;
  readonly method: Method;
  readonly stats: MethodStats;
  readonly run: (payload: Uint8Array, context: CallContext) => AsyncIterable<Uint8Array>;
}

/** Puts interceptors and the encoding of messages around a handler. */
export function serveMethod<Request, Response>(
  method: AnyMethod<Request, Response>,
  handler: StreamingHandler<Request, Response>,
  interceptors: readonly ServerInterceptor[],
): ServedMethod {
  const handle = intercept<CallContext>(interceptors, (call) =>
    handler(call.request as Request, call.context),
  );
  return {
    name: methodName(method),
    method,
    stats: new MethodStats(),
    run: async function* (payload, context) {
      const request = decodeRequest(method, payload);
      for await (const response of handle({ method, request, context })) {
        yield method.encodeResponse(response as Response);
      }
    },
  };
}

/** A unary handler is a stream of one. */
export function streamOfOne<Request, Response>(
  handler: UnaryHandler<Request, Response>,
): StreamingHandler<Request, Response> {
  return async function* (request, call) {
    yield await handler(request, call);
  };
}

function decodeRequest<Request>(
  method: { readonly decodeRequest: (bytes: Uint8Array) => Request },
  payload: Uint8Array,
): Request {
  try {
    return method.decodeRequest(payload);
  } catch (error) {
    if (error instanceof RpcError || error instanceof InvalidArgumentError) throw error;
    throw new RpcError('INVALID_ARGUMENT', 'the payload is not a request of this method', {
      cause: error,
    });
  }
}
