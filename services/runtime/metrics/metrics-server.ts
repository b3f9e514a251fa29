import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';

/** A listening metrics endpoint. */
export interface MetricsServer {
  /** host:port. */
  readonly address: string;
  close(): Promise<void>;
}

export interface MetricsServerOptions {
  /** What there is to show, in Prometheus' text format. */
  readonly text: () => Promise<string>;
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
}

/** Serves series at /metrics, and 200 at /healthz while the process answers. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { text, host, port } = options;
  const server = createServer(async (request, response) => {
    if (request.url === '/metrics') {
      await sendMetrics(text, response);
    } else {
      response.writeHead(request.url === '/healthz' ? 200 : 404).end();
    }
  });
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    address: `${host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function sendMetrics(text: () => Promise<string>, response: ServerResponse): Promise<void> {
  try {
    const body = await text();
    response.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }).end(body);
  } catch (error) {
    response.writeHead(500).end(`the metrics could not be collected: ${String(error)}\n`);
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`metrics cannot be served at ${host}:${port}: ${error.message}`));
    });
    server.listen(port, host, resolve);
  });
}
