import type { FastifyInstance } from 'fastify';
import { answerRequest, type RequestParser } from '../answer-request.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { parseChat } from '../openai/chat-request.ts';
import { parseCompletion } from '../openai/completion-request.ts';

/** `/v1/completions` and `/v1/chat/completions`. */
export function addGenerationRoutes(app: FastifyInstance, context: GatewayContext): void {
  const add = (path: string, parse: RequestParser): void => {
    app.post(path, (request, reply) => answerRequest(context, { request, reply }, parse));
  };
  add('/v1/completions', parseCompletion);
  add('/v1/chat/completions', parseChat);
}
