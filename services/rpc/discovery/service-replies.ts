import type { MethodCounts } from '../method-stats.ts';

/** What a service is called: `name` groups its instances, `id` tells them apart. */
export interface ServiceIdentity {
  readonly name: string;
  readonly id: string;
  /** Semantic version. */
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One method, and what it has done. */
export interface ServiceEndpoint {
  readonly name: string;
  readonly subject: string;
  readonly queue: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly counts: MethodCounts;
}

export interface ServiceReport {
  readonly identity: ServiceIdentity;
  readonly description: string;
  /** ISO 8601. */
  readonly started: string;
  readonly endpoints: readonly ServiceEndpoint[];
}

/** The questions of the NATS services protocol (ADR-32). */
export const VERBS = ['PING', 'INFO', 'STATS'] as const;
export type Verb = (typeof VERBS)[number];

/** The answer to a question, as the protocol spells it. */
export function serviceReply(verb: Verb, report: ServiceReport): object {
  switch (verb) {
    case 'PING':
      return { type: 'io.nats.micro.v1.ping_response', ...report.identity };
    case 'INFO':
      return {
        type: 'io.nats.micro.v1.info_response',
        ...report.identity,
        description: report.description,
        endpoints: report.endpoints.map(endpointInfo),
      };
    case 'STATS':
      return {
        type: 'io.nats.micro.v1.stats_response',
        ...report.identity,
        started: report.started,
        endpoints: report.endpoints.map(endpointStats),
      };
  }
}

function endpointInfo({ name, subject, queue, metadata }: ServiceEndpoint): object {
  return { name, subject, queue_group: queue, metadata };
}

/** Times are whole nanoseconds there. */
function endpointStats({ name, subject, queue, counts }: ServiceEndpoint): object {
  const { requests, errors, lastError, processingMs } = counts;
  const nanos = Math.round(processingMs * 1e6);
  return {
    name,
    subject,
    queue_group: queue,
    num_requests: requests,
    num_errors: errors,
    last_error: lastError,
    processing_time: nanos,
    average_processing_time: Math.round(nanos / Math.max(1, requests)),
  };
}
