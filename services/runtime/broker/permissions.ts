import { inboxPrefixOf } from '../../bus/nats-identity.ts';
import { HEALTH_CHECK, HEALTH_LIST, HEALTH_WATCH } from '../../rpc/health/health-service.ts';
import {
  DETOKENIZE,
  GENERATE,
  GET_SERVER_INFO,
  SUBSCRIBE_KV_EVENTS,
  TOKENIZE,
} from '../../rpc/inference-methods.ts';
import { methodName } from '../../rpc/method.ts';
import { REFLECT } from '../../rpc/reflection/reflection-service.ts';
import { ApiSubjects } from '../../rpc/subjects.ts';
import { METRICS, SNAPSHOT, WATCH } from '../../rpc/telemetry-methods.ts';
import { GroupSubjects } from '../../wire/subjects.ts';

/** What a connection is there for; everything else is forbidden to it. */
export type BrokerRole =
  | { readonly kind: 'coordinator'; readonly group: string }
  /** The seats of a group that one process holds: it may send only as these. */
  | { readonly kind: 'chip'; readonly group: string; readonly seats: readonly number[] }
  /** HTTP or gRPC before the cluster: every method of the API. */
  | { readonly kind: 'gateway' }
  /** Asks, but touches no request of others. */
  | { readonly kind: 'client' }
  /** Looks, and asks for no work. */
  | { readonly kind: 'monitoring' };

/** Subjects, wildcards included, as the broker's configuration names them. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly denySubscribe?: readonly string[];
  /** Lets it answer, once, on the reply subject of a message that it received. */
  readonly allowResponses?: boolean;
}

type CalledMethod = Parameters<typeof methodName>[0];

const LOOKING_METHODS: readonly CalledMethod[] = [
  ...[GET_SERVER_INFO, SUBSCRIBE_KV_EVENTS],
  ...[HEALTH_CHECK, HEALTH_LIST, HEALTH_WATCH],
  ...[METRICS, SNAPSHOT, WATCH],
];

/** Not `Abort`, which ends requests whoever made them, nor what tells of prompts of others. */
const CLIENT_METHODS: readonly CalledMethod[] = [
  ...[GENERATE, TOKENIZE, DETOKENIZE, GET_SERVER_INFO],
  ...[HEALTH_CHECK, HEALTH_LIST, HEALTH_WATCH, REFLECT],
];

/** What `role` may do in `cluster`; its inboxes are those of its public key. */
export function permissionsOf(role: BrokerRole, cluster: string, publicKey: string): Permissions {
  const inboxes = `${inboxPrefixOf(publicKey)}.>`;
  switch (role.kind) {
    case 'coordinator':
      return coordinatorPermissions(cluster, role.group, inboxes);
    case 'chip':
      return chipPermissions(new GroupSubjects(cluster, role.group), role.seats);
    case 'gateway':
      return callerPermissions([new ApiSubjects(cluster).all, '$SRV.>'], inboxes);
    case 'client':
      return callerPermissions(methodSubjects(cluster, CLIENT_METHODS), inboxes);
    case 'monitoring':
      return callerPermissions(['$SRV.>', ...methodSubjects(cluster, LOOKING_METHODS)], inboxes);
  }
}

/**
 * What a connection without a key may do where that is allowed at all: use the whole API, and ask who
 * serves it. All such connections share their inboxes, which are those that the NATS clients choose by
 * themselves.
 */
export function anonymousPermissions(cluster: string): Permissions {
  return {
    publish: [new ApiSubjects(cluster).all, '$SRV.>'],
    subscribe: ['_INBOX.*', '_INBOX.*.*'],
    // A subscription with wildcards before its end is accepted, and does not get what is denied.
    denySubscribe: ['_INBOX.*.*.>'],
    allowResponses: true,
  };
}

function coordinatorPermissions(cluster: string, group: string, inboxes: string): Permissions {
  const subjects = new GroupSubjects(cluster, group);
  return {
    publish: [subjects.command, '_INBOX.>'],
    subscribe: [subjects.allReports, new ApiSubjects(cluster).all, '$SRV.>', inboxes],
  };
}

function chipPermissions(subjects: GroupSubjects, seats: readonly number[]): Permissions {
  return {
    publish: seats.flatMap((seat) => [subjects.transfersFrom(seat), subjects.report(seat)]),
    subscribe: [
      ...[subjects.command, subjects.transfersTo('all')],
      ...seats.map((seat) => subjects.transfersTo(seat)),
    ],
  };
}

/** Heartbeats of calls that the caller does not have are answered: see `ClientOutbox.disown`. */
function callerPermissions(publish: readonly string[], inboxes: string): Permissions {
  return { publish, subscribe: [inboxes], allowResponses: true };
}

/** The subjects of methods, for any server or for one, and those that go with calls. */
function methodSubjects(cluster: string, methods: readonly CalledMethod[]): string[] {
  const api = new ApiSubjects(cluster);
  const subjects = methods.map((method) => api.method(methodName(method)));
  return [api.control('*'), ...subjects.flatMap((subject) => [subject, `${subject}.*`])];
}
