/** What a gateway process tells the process that started it. */
export type GatewayMessage =
  | { readonly kind: 'listening'; readonly url: string }
  | {
      readonly kind: 'refused';
      /** Its address cannot be had, or what is beside the model's weights cannot be used. */
      readonly reason: 'address' | 'model';
      readonly message: string;
    };
