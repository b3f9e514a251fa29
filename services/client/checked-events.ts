import type {
  CompleteEvent,
  GenerateEvent,
  PromptLogprobsEvent,
  RequestSampling,
  TokensEvent,
} from '../rpc/inference-types.ts';
import { RpcError } from '../rpc/status.ts';

/** What of a request decides the events of its answer. */
export type Expected = Pick<RequestSampling, 'n' | 'promptLogprobs'>;

/**
 * Passes the events of a request's samples on while they make sense: accepted first, then all of the
 * prompt's log-probabilities where they are asked for, then for each sample tokens without a gap and
 * one complete, and nothing after the last. A stream that breaks this, or ends before, fails with
 * DATA_LOSS.
 */
export async function* checkedEvents(
  events: AsyncIterable<GenerateEvent>,
  { n, promptLogprobs }: Expected,
): AsyncGenerator<GenerateEvent, void, undefined> {
  let accepted = false;
  /** Prompt tokens told of, and how many there must be before the first token. */
  let [told, due] = [1, 1];
  /** Tokens of the samples that are not complete. */
  const open = new Map(Array.from({ length: n }, (_, index) => [index, 0]));
  for await (const event of events) {
    if ((event.kind === 'accepted') === accepted) {
      throw new RpcError('DATA_LOSS', `the server sent ${event.kind} out of order`);
    }
    accepted = true;
    if (event.kind === 'accepted') due = promptLogprobs === undefined ? 1 : event.promptTokens;
    else if (event.kind === 'promptLogprobs') told = takePrompt(event, { told, due });
    else {
      if (event.kind === 'tokens' && event.tokenIds.length > 0) checkPrompt(told, due);
      takeEvent(event, open);
    }
    yield event;
  }
  if (!accepted || open.size > 0) {
    throw new RpcError('DATA_LOSS', 'the stream ended before it was complete');
  }
}

/** How many of the prompt's tokens are told of from now on. */
function takePrompt(
  { firstTokenIndex, logprobs }: PromptLogprobsEvent,
  { told, due }: { readonly told: number; readonly due: number },
): number {
  const now = told + logprobs.length;
  if (firstTokenIndex === told && now <= due) return now;
  throw new RpcError(
    'DATA_LOSS',
    `the server sent log-probabilities of prompt tokens ${firstTokenIndex} to ${firstTokenIndex + logprobs.length - 1} where ${told} to ${due - 1} were due`,
  );
}

function checkPrompt(told: number, due: number): void {
  if (told >= due) return;
  throw new RpcError(
    'DATA_LOSS',
    `the server sent log-probabilities of ${told - 1} of ${due - 1} prompt tokens`,
  );
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
