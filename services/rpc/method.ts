/** A method as those see it who do not look into its messages. */
export interface Method {
  readonly kind: 'unary' | 'serverStreaming';
  readonly service: string;
  readonly method: string;
  /** Whether a call may name the one server that is to answer it; the same in all of a service. */
  readonly addressable?: true;
}

interface TypedMethod<Request, Response> extends Method {
  readonly encodeRequest: (request: Request) => Uint8Array;
  readonly decodeRequest: (bytes: Uint8Array) => Request;
  readonly encodeResponse: (response: Response) => Uint8Array;
  readonly decodeResponse: (bytes: Uint8Array) => Response;
}

/** A method that answers once. */
export interface UnaryMethod<Request, Response> extends TypedMethod<Request, Response> {
  readonly kind: 'unary';
}

/** A method that answers with a stream. */
export interface ServerStreamingMethod<Request, Response> extends TypedMethod<Request, Response> {
  readonly kind: 'serverStreaming';
}

export type AnyMethod<Request, Response> =
  | UnaryMethod<Request, Response>
  | ServerStreamingMethod<Request, Response>;

/** `<Service>.<Method>`, as subjects and frames name it. */
export function methodName(method: { readonly service: string; readonly method: string }): string {
  return `${method.service}.${method.method}`;
}
