/**
 * There is no nats-server to run, or it does not start; the message says what to do. Exit code 4.
 */
export class BrokerUnavailableError extends Error {
  override readonly name = 'BrokerUnavailableError';
}
