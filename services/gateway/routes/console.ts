import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { packageVersion } from '../../runtime/package-info.ts';
import { ConsoleFeed } from '../console/console-feed.ts';
import { type ConsoleFile, consoleFiles } from '../console/console-files.ts';
import { ConsoleViewer } from '../console/console-viewer.ts';
import type { GatewayContext } from '../gateway-context.ts';
import { HttpError } from '../http-error.ts';
import { SseStream } from '../sse-stream.ts';

/** The page takes everything from its own gateway, runs nothing inline, and cannot be framed. */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
  vary: 'accept-encoding',
};
const PAGE = 'index.html';

/** The page of the console. It holds nothing of the cluster, and so needs no key. */
export function addConsolePage(app: FastifyInstance): void {
  // Relative, for gateways that are served below a path.
  app.get('/', ({ url }, reply) => {
    // `GET *` is routed here too, and asks for nothing.
    if (!url.startsWith('/')) throw new HttpError(400, 'the path must begin with /');
    return reply.redirect('console/');
  });
  app.get('/console', (_request, reply) => reply.redirect('console/'));
  app.get('/console/*', (request, reply) => {
    const { '*': name } = request.params as { '*': string };
    return sendFile(name === '' ? PAGE : name, request, reply);
  });
}

/** What the page shows, as it happens. */
export function addConsoleEvents(app: FastifyInstance, context: GatewayContext): void {
  const { config, metrics, model, engine } = context;
  const feed = new ConsoleFeed({
    telemetry: engine.telemetry,
    model: model.name,
    version: packageVersion(),
  });
  const handler = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const stream = new SseStream({
      response: reply.raw,
      open: () => {
        reply.hijack();
        return reply.getHeaders() as OutgoingHttpHeaders;
      },
      slowReaderTimeoutMs: config.settings.slow_reader_timeout * 1000,
      onCut: () => metrics.slowReaderCut(),
    });
    const viewer = new ConsoleViewer(stream);
    feed.join(viewer);
    reply.raw.once('close', () => feed.leave(viewer));
    stream.open();
  };
  app.get('/console/events', { exposeHeadRoute: false }, handler);
}

function sendFile(name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const file = consoleFiles().get(name);
  if (file === undefined) throw new HttpError(404, `the console has no ${name}`);
  reply.headers({ ...PAGE_HEADERS, etag: file.etag });
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
  return reply.type(file.type).send(encode(file, request, reply));
}

function encode(file: ConsoleFile, request: FastifyRequest, reply: FastifyReply): Buffer {
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return file.body;
  reply.header('content-encoding', 'gzip');
  return file.gzip;
}
