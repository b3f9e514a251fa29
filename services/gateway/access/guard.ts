import type { FastifyInstance } from 'fastify';
import type { AccessControl, Tenant } from './access-control.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whom it is served for; null where the route is open to all. */
    tenant: Tenant | null;
  }
}

/** Lets requests to an app's routes in by their keys, before anything of them is read. */
export function guardRoutes(app: FastifyInstance, access: AccessControl): void {
  app.addHook('onRequest', async (request) => {
    request.tenant = access.admit(request.headers.authorization);
  });
}
