interface Method<Request, Response> {
  readonly service: string;
  readonly method: string;
  readonly encodeRequest: (request: Request) => Uint8Array;
  readonly decodeRequest: (bytes: Uint8Array) => Request;
  readonly encodeResponse: (response: Response) => Uint8Array;
  readonly decodeResponse: (bytes: Uint8Array) => Response;
}

/** A method that answers once. */
export interface UnaryMethod<Request, Response> extends Method<Request, Response> {
  readonly kind: 'unary';
}

/** A method that answers with a stream. */
export interface ServerStreamingMethod<Request, Response> extends Method<Request, Response> {
  readonly kind: 'serverStreaming';
}

/** `<Service>.<Method>`, as subjects and frames name it. */
export function methodName(method: { readonly service: string; readonly method: string }): string {
  return `${method.service}.${method.method}`;
}
