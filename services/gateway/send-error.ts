import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { UnauthorizedError } from './access/access-control.ts';
import { retryAfterSeconds, toEnvelope, toHttpError } from './errors.ts';
import { HttpError } from './http-error.ts';

/** Answers a request with an error. */
export function sendError(reply: FastifyReply, thrown: unknown): void {
  const error = toHttpError(thrown);
  const retryAfter = retryAfterSeconds(error);
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  // A body that was not read to its end is in the way of the next request.
  if (error.status === 413) reply.header('connection', 'close');
  // vLLM's own body for a key that is wrong.
  const body = error instanceof UnauthorizedError ? { error: error.message } : toEnvelope(error);
  reply.code(error.status).send(body);
}

/** What the parser of HTTP says, as a status. */
const STATUS_OF_PARSER_ERROR: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what is no HTTP, and closes the connection. */
export function refuseConnection(socket: Duplex, cause: { readonly code?: string }): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_PARSER_ERROR[cause.code ?? ''] ?? 400;
  writeError(socket, new HttpError(status, `the request is no HTTP: ${STATUS_CODES[status]}`));
}

/** Answers on a connection that no response belongs to, and closes it. */
export function writeError(socket: Duplex, error: HttpError): void {
  const body = JSON.stringify(toEnvelope(error));
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\n` +
      'content-type: application/json; charset=utf-8\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
