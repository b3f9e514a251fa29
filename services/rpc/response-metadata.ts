import { checkMetadata, type Metadata } from './metadata.ts';
import { RpcError } from './status.ts';

interface Entry {
  readonly name: string;
  readonly value: string;
}

/** What a handler says about its response: headers until the first message, trailers until the end. */
export class ResponseMetadata {
  readonly #headers = new Map<string, string>();
  readonly #trailers = new Map<string, string>();
  #headersTaken = false;

  setHeader(entry: Entry): void {
    if (this.#headersTaken) {
      throw new RpcError('FAILED_PRECONDITION', 'the headers of the call are already sent');
    }
    setEntry('headers', this.#headers, entry);
  }

  setTrailer(entry: Entry): void {
    setEntry('trailers', this.#trailers, entry);
  }

  /** The headers, the first time, and where there are any. */
  takeHeaders(): Metadata | undefined {
    const isFirst = !this.#headersTaken;
    this.#headersTaken = true;
    return isFirst && this.#headers.size > 0 ? this.#headers : undefined;
  }

  get trailers(): Metadata {
    return this.#trailers;
  }
}

function setEntry(kind: string, entries: Map<string, string>, { name, value }: Entry): void {
  checkMetadata(kind, new Map([...entries, [name, value]]));
  entries.set(name, value);
}
