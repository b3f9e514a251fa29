import type { CompleteEvent, GenerateEvent, TokensEvent } from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';

/**
 * Passes the events of `n` samples on while they make sense: accepted first, then for each sample
 * tokens without a gap and one complete, and nothing after the last. A stream that breaks this, or
 * ends before, fails with DATA_LOSS.
 */
export async function* checkedEvents(
  events: AsyncIterable<GenerateEvent>,
  n: number,
): AsyncGenerator<GenerateEvent, void, undefined> {
  let accepted = false;
  /** Tokens of the samples that are not complete. */
  const open = new Map(Array.from({ length: n }, (_, index) => [index, 0]));
  for await (const event of events) {
    if ((event.kind === 'accepted') === accepted) {
      throw new RpcError('DATA_LOSS', `the server sent ${event.kind} out of order`);
    }
    accepted = true;
    if (event.kind !== 'accepted') takeEvent(event, open);
    yield event;
  }
  if (!accepted || open.size > 0) {
    throw new RpcError('DATA_LOSS', 'the stream ended before it was complete');
  }
}

function takeEvent(event: TokensEvent | CompleteEvent, open: Map<number, number>): void {
  const { index } = event;
  const tokens = open.get(index);
  if (tokens === undefined) {
    throw new RpcError(
      'DATA_LOSS',
      `the server sent ${event.kind} of sample ${index} out of order`,
    );
  }
  if (event.kind === 'tokens') {
    checkTokens(event, tokens);
    open.set(index, tokens + event.tokenIds.length);
  } else {
    checkTotal(event, tokens);
    open.delete(index);
  }
}

function checkTokens(event: TokensEvent, due: number): void {
  const { firstTokenIndex, tokenIds, logprobs } = event;
  if (firstTokenIndex !== due) {
    throw new RpcError(
      'DATA_LOSS',
      `the server sent token ${firstTokenIndex} where token ${due} was due`,
    );
  }
  if (logprobs.length === 0 || logprobs.length === tokenIds.length) return;
  throw new RpcError(
    'DATA_LOSS',
    `the server sent ${logprobs.length} log-probabilities for ${tokenIds.length} tokens`,
  );
}

function checkTotal({ usage }: CompleteEvent, tokens: number): void {
  if (usage.completionTokens === tokens) return;
  throw new RpcError('DATA_LOSS', `${tokens} of ${usage.completionTokens} tokens arrived`);
}
