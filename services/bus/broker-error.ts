/** A broker that is not reached, or does not let this process in; one sentence says which and why. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
}
