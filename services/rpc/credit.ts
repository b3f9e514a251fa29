/**
 * How much a server may send in one call, counted from its start: it may begin a message while it
 * has sent fewer messages and fewer payload bytes. A message is never split, so it may overdraw
 * the bytes.
 */
export interface Credit {
  readonly messages: number;
  readonly bytes: number;
}

export const NO_CREDIT: Credit = { messages: 0, bytes: 0 };

/** Whether one may begin another message that has sent so much. */
export function allowsMore(granted: Credit, sent: Credit): boolean {
  return sent.messages < granted.messages && sent.bytes < granted.bytes;
}

/** The total after one more message. */
export function withMessage(total: Credit, bytes: number): Credit {
  return { messages: total.messages + 1, bytes: total.bytes + bytes };
}
