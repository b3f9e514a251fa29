import type { FastifyInstance } from 'fastify';
import type { GatewayContext } from '../gateway-context.ts';
import { HttpError } from '../http-error.ts';

/** `/v1/models`, and one model by its name. */
export function addModelRoutes(app: FastifyInstance, context: GatewayContext): void {
  app.get('/v1/models', async () => ({ object: 'list', data: [await modelCard(context)] }));
  app.get('/v1/models/*', async (request) => {
    const { '*': name } = request.params as { '*': string };
    if (name === context.model.name) return modelCard(context);
    throw new HttpError(404, `The model \`${name}\` does not exist.`, { param: 'model' });
  });
}

async function modelCard({ model, watch }: GatewayContext): Promise<object> {
  return {
    id: model.name,
    object: 'model',
    created: model.created,
    owned_by: 'sohu',
    root: model.name,
    parent: null,
    max_model_len: await watch.maxContextLength(),
    permission: [],
  };
}
