/** What grpc.health.v1 says of a service; SERVICE_UNKNOWN where the server does not know it. */
export type ServingStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** The server as a whole. */
export const WHOLE_SERVER = '';

/** Which services of a server take calls; the server as a whole does from the beginning. */
export class Health {
  readonly #statuses = new Map<string, ServingStatus>([[WHOLE_SERVER, 'SERVING']]);
  readonly #watchers = new Set<() => void>();

  /** Makes a status known, and tells all who watch. */
  set(service: string, status: Exclude<ServingStatus, 'SERVICE_UNKNOWN'>): void {
    this.#statuses.set(service, status);
    for (const wake of this.#watchers) wake();
  }

  statusOf(service: string): ServingStatus {
    return this.#statuses.get(service) ?? 'SERVICE_UNKNOWN';
  }

  /** Of every service that is known. */
  get statuses(): ReadonlyMap<string, ServingStatus> {
    return this.#statuses;
  }

  /**
   * The status now and after every change, until the signal fires. A slow reader misses what lies
   * between, never the last.
   */
  async *watch(service: string, signal: AbortSignal): AsyncGenerator<ServingStatus> {
    let told: ServingStatus | undefined;
    while (!signal.aborted) {
      const status = this.statusOf(service);
      if (status === told) {
        await this.#changed(signal);
      } else {
        told = status;
        yield status;
      }
    }
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#watchers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#watchers.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
