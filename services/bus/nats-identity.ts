import { readFileSync } from 'node:fs';
import { type Authenticator, nkeyAuthenticator, nkeys } from 'nats';
import { BrokerError } from './broker-error.ts';

/** How a connection proves who it is, and the inboxes that are its own. */
export interface NatsIdentity {
  readonly authenticator: Authenticator;
  readonly inboxPrefix: string;
}

/**
 * The inboxes of one nkey. The broker lets nobody else subscribe there, so that the holders of two
 * keys cannot read each other's answers.
 */
export function inboxPrefixOf(publicKey: string): string {
  return `_INBOX.${publicKey}`;
}

/** Reads a user's nkey seed from a file; throws a BrokerError that names the file where it holds none. */
export function readNatsIdentity(nkeyFile: string): NatsIdentity {
  const seed = new TextEncoder().encode(readSeedFile(nkeyFile).trim());
  try {
    const publicKey = nkeys.fromSeed(seed).getPublicKey();
    if (!publicKey.startsWith('U')) throw new Error('it is of another kind');
    return { authenticator: nkeyAuthenticator(seed), inboxPrefix: inboxPrefixOf(publicKey) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BrokerError(`${nkeyFile} must hold the nkey seed of a user: ${reason}`, {
      cause: error,
    });
  }
}

function readSeedFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BrokerError(`the nkey seed ${path} could not be read: ${code}`, { cause: error });
  }
}
