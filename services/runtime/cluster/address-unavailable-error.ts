/** The gateway or the gRPC server cannot listen where it was told to. Exit code 5. */
export class AddressUnavailableError extends Error {
  override readonly name = 'AddressUnavailableError';
}
