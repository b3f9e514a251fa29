/**
 * One message as a handler sees it. `data` is only valid during the call: copy what must outlive
 * it.
 */
export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly replyTo: string | undefined;
}

export interface Subscription {
  unsubscribe(): void;
}

export interface SubscribeOptions {
  /** Members of one queue group share the messages: each goes to one of them. */
  readonly queue?: string;
}

export interface PublishOptions {
  readonly replyTo?: string;
}

/** What the connection itself does; a publish made while disconnected is lost. */
export type BusStatus = 'disconnected' | 'reconnected' | 'closed';

/**
 * Publish and subscribe by subject, with NATS semantics: dot-separated tokens, `*` for one token
 * and `>` for the rest, at-most-once delivery, and order kept between one publisher and one
 * subscriber.
 */
export interface Bus {
  /**
   * Where nobody listens on the subject, a reply subject of the publisher's own gets an empty
   * message.
   */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): void;
  subscribe(
    subject: string,
    handler: (message: BusMessage) => void,
    options?: SubscribeOptions,
  ): Subscription;
  /** A fresh subject that nobody else uses, for replies. */
  newInbox(): string;
  /** Resolves once the broker has processed everything published and subscribed so far. */
  flush(): Promise<void>;
  /** Called with every change of the connection's state. */
  onStatus(listener: (status: BusStatus) => void): void;
  /** Called with the subject of every publish that the broker forbids, a moment after it. */
  onForbidden(listener: (subject: string) => void): void;
  /** Flushes what was published and closes. */
  close(): Promise<void>;
}
