import type { FastifyInstance } from 'fastify';
import type { GatewayContext } from '../gateway-context.ts';
import { badRequest, HttpError } from '../http-error.ts';
import { chatPrompt } from '../openai/chat-request.ts';
import { encodePrompt } from '../openai/encode-prompt.ts';
import {
  field,
  flag,
  list,
  optional,
  readBody,
  readFields,
  text,
  whole,
} from '../openai/fields.ts';

const MAX_TOKENS = 2 ** 20;

/** `/tokenize`, for texts and for chats, and `/detokenize`. */
export function addTokenRoutes(app: FastifyInstance, context: GatewayContext): void {
  const { model, watch } = context;
  const { texts } = model;
  const tokenizeFields = {
    model: optional(text),
    prompt: optional(text),
    add_special_tokens: field(flag, true),
    return_token_strs: field(flag, false),
  };
  const detokenizeFields = {
    model: optional(text),
    tokens: optional(list(whole({ from: 0, to: texts.vocabSize - 1 }), MAX_TOKENS)),
  };

  app.post('/tokenize', async (request) => {
    const body = readBody(request.body);
    const fields = readFields(body, tokenizeFields);
    checkModel(fields.model, model.name);
    const { prompt, add_special_tokens: addSpecialTokens } = fields;
    if (prompt === undefined && body.messages === undefined) {
      throw badRequest('prompt must be there, or messages', 'prompt');
    }
    const maxContextLength = await watch.maxContextLength();
    const encoding = { addSpecialTokens, maxContextLength, field: 'prompt' };
    const tokens =
      prompt === undefined
        ? chatPrompt(body, { model, maxContextLength })
        : encodePrompt(texts, prompt, encoding);
    return {
      count: tokens.length,
      max_model_len: maxContextLength,
      tokens,
      token_strs: fields.return_token_strs ? tokens.map((id) => texts.textOf(id)) : null,
    };
  });

  app.post('/detokenize', async (request) => {
    const fields = readFields(readBody(request.body), detokenizeFields);
    checkModel(fields.model, model.name);
    if (fields.tokens === undefined) throw badRequest('tokens must be there', 'tokens');
    return { prompt: texts.decode(fields.tokens) };
  });
}

function checkModel(asked: string | undefined, served: string): void {
  if (asked === undefined || asked === served) return;
  throw new HttpError(404, `The model \`${asked}\` does not exist.`, { param: 'model' });
}
