/** Who sends or gets a message: the coordinator, or the chip in a seat. */
export type Endpoint = 'coordinator' | number;

/** A message on its way to one receiver; a multicast is a letter for each. */
export interface Letter {
  readonly kind: 'frame' | 'command' | 'report';
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The encoded message; undefined in a world whose messages are not encoded. */
  readonly data: Uint8Array | undefined;
}

/** What arrives of a letter, and when. */
export interface Arrival {
  readonly delayMicros: number;
  /** As in the letter, unless it was damaged. */
  readonly data: Uint8Array | undefined;
  /** Says of a message that is not encoded whether it was damaged. */
  readonly isDamaged: boolean;
}

/** Decides what becomes of letters: nothing arrives, or something, perhaps several times. */
export interface Network {
  carry(letter: Letter): readonly Arrival[];
}

/** Every letter arrives once, after the same time. */
export function makeReliableNetwork(delayMicros: number): Network {
  return { carry: ({ data }) => [{ delayMicros, data, isDamaged: false }] };
}
