import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { assert } from '../core/support/errors.ts';
import type { Fields } from '../core/support/fields.ts';
import type { Tenant } from './access/access-control.ts';
import type { Reservation } from './access/rate-limits.ts';
import { collectAnswer } from './collect-answer.ts';
import { EchoEngine } from './echo-engine.ts';
import type { GatewayContext } from './gateway-context.ts';
import { mostTokens } from './generation-plan.ts';
import type { ParsedRequest } from './openai/completion-request.ts';
import { readBody } from './openai/fields.ts';
import type { RequestScope } from './openai/request-scope.ts';
import { SseStream } from './sse-stream.ts';
import { streamAnswer } from './stream-answer.ts';
import { UsageTally } from './usage-tally.ts';

/** Reads the body of one API. */
export type RequestParser = (body: Fields, scope: RequestScope) => ParsedRequest;

/** One request with its way back. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Answers a generation request of either API, whole or as a stream; throws what fails before. */
export async function answerRequest(
  context: GatewayContext,
  exchange: Exchange,
  parse: RequestParser,
): Promise<object | undefined> {
  const { request, reply } = exchange;
  const parsed = parse(readBody(request.body), await scopeOf(context, exchange));
  const signal = context.requests.open(reply.raw, parsed.plan.prompts.length);
  const reservation = reserve(exchange, mostTokens(parsed.plan));
  const tally = new UsageTally();
  try {
    return await answer(context, { parsed, reply, signal, tally });
  } finally {
    const { promptTokens, completionTokens } = tally;
    reservation.settle(promptTokens + completionTokens);
    context.metrics.tokens({ prompt: promptTokens, generated: completionTokens });
  }
}

async function scopeOf(
  { model, watch }: GatewayContext,
  { request }: Exchange,
): Promise<RequestScope> {
  return {
    model,
    maxContextLength: await watch.maxContextLength(),
    requestId: request.id,
    tenant: tenantOf(request).name,
    nowSeconds: Math.floor(Date.now() / 1000),
  };
}

/** The headers tell of the budget whether it was enough or not. */
function reserve({ request, reply }: Exchange, tokens: number): Reservation {
  const { limits } = tenantOf(request);
  try {
    return limits.reserve(tokens);
  } finally {
    reply.headers(limits.headers());
  }
}

function tenantOf({ tenant }: FastifyRequest): Tenant {
  assert(tenant !== null, 'a generation route without a guard');
  return tenant;
}

interface Work {
  readonly parsed: ParsedRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
  readonly tally: UsageTally;
}

async function answer(context: GatewayContext, work: Work): Promise<object | undefined> {
  const { parsed, reply, signal, tally } = work;
  const { plan, format, isEchoOnly } = parsed;
  const engine = isEchoOnly ? new EchoEngine(context.engine) : context.engine;
  if (!plan.stream) {
    return format.whole(await collectAnswer(engine, plan, { signal, tally }), tally.toJson());
  }
  const stream = new SseStream({
    response: reply.raw,
    open: () => {
      reply.hijack();
      return reply.getHeaders() as OutgoingHttpHeaders;
    },
    slowReaderTimeoutMs: context.config.settings.slow_reader_timeout * 1000,
    onCut: () => context.metrics.slowReaderCut(),
  });
  await streamAnswer(engine, plan, { format, stream, signal, tally });
  return undefined;
}
