import type { CallOptions } from '../rpc/call-options.ts';
import type { GenerateEvent, GenerateInput } from '../rpc/inference-types.ts';
import { EMPTY_METADATA, type Metadata } from '../rpc/metadata.ts';
import { pushbackOf } from '../rpc/retry/pushback.ts';
import { backoffMs } from '../rpc/retry/retry-policy.ts';
import { LostFramesError, RpcError } from '../rpc/status.ts';
import { ReceivedAnswer } from './received-answer.ts';
import type { ResumeRules } from './resume-rules.ts';

/** Opens a call. */
export type OpenCall = (input: GenerateInput, options: CallOptions) => AsyncIterable<GenerateEvent>;

/**
 * The events of one request, through the loss of servers: where one, or a part of what it sent, is lost
 * after it has accepted the request, the call is opened anew with what has arrived, and goes on behind
 * it. What a server says against the request itself is not tried again, nor anything after the call's
 * deadline.
 */
export async function* resumedEvents(
  open: OpenCall,
  input: GenerateInput,
  { call, rules }: { readonly call: CallOptions; readonly rules: ResumeRules },
): AsyncGenerator<GenerateEvent, void, undefined> {
  const answer = new ReceivedAnswer(input);
  const calls = new Calls(call, rules);
  for (;;) {
    try {
      for await (const event of open(answer.rest(), calls.next())) {
        calls.answered(event);
        if (answer.take(event)) yield event;
      }
      calls.handOnTrailers();
      return;
    } catch (error) {
      const failure = RpcError.from(error);
      const delayMs = answer.canGoOn && !answer.isWhole ? calls.delayAfter(failure) : undefined;
      if (delayMs === undefined) {
        calls.handOnTrailers();
        if (calls.isOfServer(failure) && answer.isWhole) return;
        throw calls.causeOf(failure);
      }
      await calls.wait(delayMs);
    }
  }
}

/** The calls that one answer takes. */
class Calls {
  readonly #call: CallOptions;
  readonly #rules: ResumeRules;
  readonly #startMs: number;
  #hasHeaders = false;
  #trailers: Metadata | undefined;
  #isAccepted = false;
  /** When the answer broke off, and why; undefined while it goes on. */
  #lostMs: number | undefined;
  #lostBy: RpcError | undefined;
  #attempts = 0;

  constructor(call: CallOptions, rules: ResumeRules) {
    this.#call = call;
    this.#rules = rules;
    this.#startMs = rules.clock.now();
  }

  /** The options of the next call. Once the server of the caller's choice is lost, any other will do. */
  next(): CallOptions {
    this.#trailers = undefined;
    this.#isAccepted = false;
    const { serverId } = this.#call;
    return {
      ...this.#call,
      serverId: this.#lostMs === undefined ? serverId : undefined,
      timeoutMs: this.#remainingMs(),
      onHeader: (headers) => {
        if (!this.#hasHeaders) this.#call.onHeader?.(headers);
        this.#hasHeaders = true;
      },
      onTrailer: (trailers) => {
        this.#trailers = trailers;
      },
    };
  }

  /** A request that ends every server which takes it brings no news, and so does not go on for ever. */
  answered({ kind }: GenerateEvent): void {
    this.#isAccepted = true;
    if (kind === 'accepted') return;
    this.#lostMs = undefined;
    this.#lostBy = undefined;
    this.#attempts = 0;
  }

  handOnTrailers(): void {
    if (this.#trailers !== undefined) this.#call.onTrailer?.(this.#trailers);
  }

  /** Milliseconds to wait before the next call; undefined where there is none. */
  delayAfter(failure: RpcError): number | undefined {
    const { clock, patienceMs } = this.#rules;
    const pushback = pushbackOf(failure, this.#trailers ?? EMPTY_METADATA);
    if (!this.isOfServer(failure) || pushback.kind === 'never') return undefined;
    if (this.#call.signal?.aborted) return undefined;
    const now = clock.now();
    this.#lostMs ??= now;
    this.#lostBy ??= failure;
    const delayMs = pushback.kind === 'after' ? pushback.delayMs : this.#backoffMs();
    if (now + delayMs - this.#lostMs > patienceMs) return undefined;
    return delayMs < (this.#remainingMs() ?? Number.POSITIVE_INFINITY) ? delayMs : undefined;
  }

  /** That no server took over tells less than what ended the one that had the request. */
  causeOf(failure: RpcError): RpcError {
    return failure.code === 'UNAVAILABLE' ? (this.#lostBy ?? failure) : failure;
  }

  async wait(delayMs: number): Promise<void> {
    const { closed, clock } = this.#rules;
    const { signal } = this.#call;
    await clock.sleep(delayMs, signal === undefined ? closed : AbortSignal.any([signal, closed]));
    if (closed.aborted) throw new RpcError('CANCELLED', 'the client was closed');
  }

  #backoffMs(): number {
    this.#attempts += 1;
    const { backoff, random } = this.#rules;
    return backoffMs(backoff, { retry: this.#attempts, draw: random() });
  }

  /** A server that takes over may be full for a while; one that is at work is so for its reader. */
  isOfServer(failure: RpcError): boolean {
    const { code } = failure;
    if (code === 'UNAVAILABLE' || failure instanceof LostFramesError) return true;
    return code === 'RESOURCE_EXHAUSTED' && this.#lostMs !== undefined && !this.#isAccepted;
  }

  /** What is left of the time for all calls, in whole milliseconds; undefined without a limit. */
  #remainingMs(): number | undefined {
    const { timeoutMs } = this.#call;
    if (timeoutMs === undefined || this.#lostMs === undefined) return timeoutMs;
    return Math.max(1, Math.floor(timeoutMs - (this.#rules.clock.now() - this.#startMs)));
  }
}
