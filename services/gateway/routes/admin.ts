import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback } from '../../runtime/options/gateway-options.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { HttpError } from '../http-error.ts';

/** `/admin/config`: what holds now, and changes that come into force at once and together. */
export function addAdminRoutes(app: FastifyInstance, context: GatewayContext): void {
  app.get('/admin/config', async (request) => {
    checkAdmin(context, request);
    return context.config.settings;
  });
  app.post('/admin/config', async (request) => {
    checkAdmin(context, request);
    context.config.change(request.body);
    return context.config.settings;
  });
}

/** Without keys, whoever is on this machine; with keys, who has one with `"admin": true`. */
function checkAdmin({ access }: GatewayContext, request: FastifyRequest): void {
  if (request.tenant?.isAdmin || (!access.hasKeys && isLoopback(request.ip))) return;
  throw new HttpError(403, 'the key is not one of an administrator');
}
