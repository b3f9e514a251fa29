import { randomUUID } from 'node:crypto';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { guardRoutes } from './access/guard.ts';
import type { GatewayContext } from './gateway-context.ts';
import { HttpError } from './http-error.ts';
import { addAdminRoutes } from './routes/admin.ts';
import { addConsoleEvents, addConsolePage } from './routes/console.ts';
import { addGenerationRoutes } from './routes/generation.ts';
import { addModelRoutes } from './routes/models.ts';
import { addOperationRoutes } from './routes/operations.ts';
import { addTokenRoutes } from './routes/tokens.ts';
import { refuseConnection, sendError, writeError } from './send-error.ts';

export interface AppOptions {
  readonly maxBodyBytes: number;
}

const MAX_HEADER_BYTES = 16 * 1024;
/** Longest time for a request to arrive, headers and body. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 20_000;
/** Beyond them, connections are closed at once. */
const MAX_CONNECTIONS = 8_192;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const REQUEST_ID_HEADER = 'x-request-id';
const METHODS = ['GET', 'POST'];

/** The HTTP server of a gateway, which does not listen yet. */
export function makeApp(context: GatewayContext, { maxBodyBytes }: AppOptions): FastifyInstance {
  const { metrics } = context;
  const app = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS },
    forceCloseConnections: true,
    requestIdHeader: false,
    genReqId: ({ headers }) => requestIdOf(headers[REQUEST_ID_HEADER]),
    clientErrorHandler: (error, socket) => {
      metrics.malformed();
      refuseConnection(socket, error);
    },
    frameworkErrors: (error, _request, reply) => sendError(reply as FastifyReply, error),
  });
  // Any web page may post plain text to a server of this machine; JSON needs leave.
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('tenant', null);
  app.server.maxConnections = MAX_CONNECTIONS;
  app.server.on('connect', (_request, socket) => {
    metrics.malformed();
    writeError(socket, new HttpError(405, 'the gateway is no proxy'));
  });
  app.addHook('onRequest', async (request, reply) => observe(context, request, reply));
  app.setErrorHandler((error, _request, reply) => sendError(reply, error));
  app.setNotFoundHandler((request, reply) => sendError(reply, unknownRoute(app, request)));
  addRoutes(app, context);
  return app;
}

function addRoutes(app: FastifyInstance, context: GatewayContext): void {
  addOperationRoutes(app, context);
  addTokenRoutes(app, context);
  addConsolePage(app);
  app.register(async (guarded) => {
    guardRoutes(guarded, context.access);
    addGenerationRoutes(guarded, context);
    addModelRoutes(guarded, context);
    addAdminRoutes(guarded, context);
    addConsoleEvents(guarded, context);
  });
}

/** Counts the response when it is over, however that is. */
function observe({ metrics }: GatewayContext, request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = reply;
  const startMs = performance.now();
  reply.header(REQUEST_ID_HEADER, request.id);
  raw.once('close', () => {
    metrics.answered({
      handler: request.routeOptions.url ?? 'none',
      method: request.method,
      status: raw.writableFinished ? raw.statusCode : 499,
      durationMs: performance.now() - startMs,
    });
  });
}

/** A client's own name for its request, where it can stand in a header and in the engine's name. */
function requestIdOf(header: string | readonly string[] | undefined): string {
  const isUsable = typeof header === 'string' && /^[\x21-\x7e]{1,112}$/.test(header);
  return isUsable ? header : randomUUID().replaceAll('-', '');
}

function unknownRoute(app: FastifyInstance, { method, url }: FastifyRequest): HttpError {
  const path = url.split('?', 1)[0]!;
  const others = METHODS.filter((other) => app.hasRoute({ method: other, url: path }));
  if (others.length === 0) return new HttpError(404, `there is no ${path}`);
  return new HttpError(405, `${path} takes ${others.join(' and ')}, not ${method}`);
}
