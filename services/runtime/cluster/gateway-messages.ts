/** What a gateway process tells the process that started it. */
export type GatewayMessage =
  | { readonly kind: 'listening'; readonly url: string }
  /** Its address cannot be had. */
  | { readonly kind: 'refused'; readonly message: string };
