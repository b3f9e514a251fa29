import type {
  AcceptedEvent,
  CompleteEvent,
  FinishReason,
  GenerateEvent,
  Timings,
  TokensEvent,
  Usage,
} from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';

/** A whole generation. */
export interface Completion {
  readonly requestId: string;
  readonly tokenIds: readonly number[];
  readonly text: string;
  readonly finishReason: FinishReason;
  /** The seed of the draws: with it the same request gives the same tokens. */
  readonly seed: number;
  readonly usage: Usage;
  readonly timings: Timings;
}

/**
 * Passes the events on while they make sense: accepted first, tokens without a gap, complete last.
 * A stream that breaks this, or ends without complete, fails with DATA_LOSS.
 */
export async function* checkedEvents(
  events: AsyncIterable<GenerateEvent>,
): AsyncGenerator<GenerateEvent, void, undefined> {
  let expected: 'accepted' | 'tokens' | 'end' = 'accepted';
  let tokens = 0;
  for await (const event of events) {
    if ((event.kind === 'accepted') !== (expected === 'accepted') || expected === 'end') {
      throw new RpcError('DATA_LOSS', `the server sent ${event.kind} out of order`);
    }
    if (event.kind === 'tokens') tokens = checkTokens(event, tokens);
    if (event.kind === 'complete') checkTotal(event, tokens);
    expected = event.kind === 'complete' ? 'end' : 'tokens';
    yield event;
  }
  if (expected !== 'end')
    throw new RpcError('DATA_LOSS', 'the stream ended before it was complete');
}

/** Collects checked events. */
export async function collectCompletion(events: AsyncIterable<GenerateEvent>): Promise<Completion> {
  let accepted: AcceptedEvent | undefined;
  let complete: CompleteEvent | undefined;
  const tokenIds: number[] = [];
  const text: string[] = [];
  for await (const event of checkedEvents(events)) {
    if (event.kind === 'accepted') accepted = event;
    else if (event.kind === 'complete') complete = event;
    else {
      for (const id of event.tokenIds) tokenIds.push(id);
      text.push(event.text);
    }
  }
  const { requestId, seed } = accepted!;
  const { finishReason, usage, timings } = complete!;
  return { requestId, tokenIds, text: text.join(''), finishReason, seed, usage, timings };
}

function checkTokens(event: TokensEvent, before: number): number {
  if (event.firstTokenIndex === before) return before + event.tokenIds.length;
  throw new RpcError(
    'DATA_LOSS',
    `the server sent token ${event.firstTokenIndex} where token ${before} was due`,
  );
}

function checkTotal({ usage }: CompleteEvent, tokens: number): void {
  if (usage.completionTokens === tokens) return;
  throw new RpcError('DATA_LOSS', `${tokens} of ${usage.completionTokens} tokens arrived`);
}
