import type { Method } from './method.ts';

/**
 * One call on its way: `Context` is the options at the client, and what a handler knows at the
 * server.
 */
export interface InterceptedCall<Context> {
  readonly method: Method;
  readonly request: unknown;
  readonly context: Context;
}

/** Goes on with a call; its responses are those of a stream, one where the method is unary. */
export type Continue<Context> = (call: InterceptedCall<Context>) => AsyncIterable<unknown>;

/**
 * Stands between a caller and a method, at either side: may refuse a call, change it, repeat it, or
 * change what comes back. Usually an async generator; leaving `next`'s loop early cancels the call.
 */
export type Interceptor<Context> = (
  call: InterceptedCall<Context>,
  next: Continue<Context>,
) => AsyncIterable<unknown>;

/** What runs all interceptors in turn, the first one outermost, and then `last`. */
export function intercept<Context>(
  interceptors: readonly Interceptor<Context>[],
  last: Continue<Context>,
): Continue<Context> {
  return interceptors.reduceRight<Continue<Context>>(
    (next, interceptor) => (call) => interceptor(call, next),
    last,
  );
}
