/** What a gRPC server's process tells the process that started it. */
export type GrpcMessage =
  /** `host:port`. */
  | { readonly kind: 'listening'; readonly address: string }
  /** Its address cannot be had. */
  | { readonly kind: 'refused'; readonly message: string };
