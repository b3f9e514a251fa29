import { invalidArgument } from './status.ts';

/** Names and values that belong to a call and not to its messages. */
export type Metadata = ReadonlyMap<string, string>;

export const EMPTY_METADATA: Metadata = new Map();

/** Characters of all names and values of one map; a frame also has to hold a message. */
export const MAX_METADATA_CHARACTERS = 16_384;

/** Refuses a map that is too large to travel beside every message. */
export function checkMetadata(name: string, metadata: Metadata): void {
  let characters = 0;
  for (const [key, value] of metadata) characters += key.length + value.length;
  if (characters <= MAX_METADATA_CHARACTERS) return;
  throw invalidArgument(
    `${name} must have at most ${MAX_METADATA_CHARACTERS} characters, not ${characters}`,
  );
}
