import { inboxPrefixOf } from '../../bus/nats-identity.ts';
import { HEALTH_CHECK, HEALTH_LIST, HEALTH_WATCH } from '../../rpc/health/health-service.ts';
import { ABORT, GET_SERVER_INFO, SUBSCRIBE_KV_EVENTS } from '../../rpc/inference-methods.ts';
import { methodName } from '../../rpc/method.ts';
import { ApiSubjects } from '../../rpc/subjects.ts';
import { GroupSubjects } from '../../wire/subjects.ts';

/** What a connection is there for; everything else is forbidden to it. */
export type BrokerRole =
  | { readonly kind: 'coordinator'; readonly group: string }
  /** One seat of a group: it may send only as itself. */
  | { readonly kind: 'chip'; readonly group: string; readonly seat: number }
  /** HTTP or gRPC before the cluster: every method of the API. */
  | { readonly kind: 'gateway' }
  /** Asks, but touches no request of others. */
  | { readonly kind: 'client' }
  /** Looks, and asks for no work. */
  | { readonly kind: 'monitoring' };

/** Subjects, wildcards included, as the broker's configuration names them. */
export interface Permissions {
  readonly publish: readonly string[];
  readonly denyPublish?: readonly string[];
  readonly subscribe: readonly string[];
  readonly denySubscribe?: readonly string[];
  /** Lets it answer, once, on the reply subject of a message that it received. */
  readonly allowResponses?: boolean;
}

/** What `role` may do in `cluster`; its inboxes are those of its public key. */
export function permissionsOf(role: BrokerRole, cluster: string, publicKey: string): Permissions {
  const inboxes = `${inboxPrefixOf(publicKey)}.>`;
  switch (role.kind) {
    case 'coordinator':
      return coordinatorPermissions(cluster, role.group, inboxes);
    case 'chip':
      return chipPermissions(new GroupSubjects(cluster, role.group), role.seat);
    case 'monitoring':
      return monitoringPermissions(cluster, inboxes);
    default:
      return { ...callerPermissions(cluster, role.kind), subscribe: [inboxes] };
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

function chipPermissions(subjects: GroupSubjects, seat: number): Permissions {
  return {
    publish: [subjects.transfersFrom(seat), subjects.report(seat)],
    subscribe: [subjects.command, subjects.transfersTo(seat), subjects.transfersTo('all')],
  };
}

/** Heartbeats of calls that the caller does not have are answered: see `ClientOutbox.disown`. */
function callerPermissions(
  cluster: string,
  kind: 'gateway' | 'client',
): Omit<Permissions, 'subscribe'> {
  const api = new ApiSubjects(cluster);
  const ofOthers = [ABORT, SUBSCRIBE_KV_EVENTS].map((method) => api.method(methodName(method)));
  return {
    publish: [api.all],
    ...(kind === 'client' && { denyPublish: ofOthers }),
    allowResponses: true,
  };
}

function monitoringPermissions(cluster: string, inboxes: string): Permissions {
  const api = new ApiSubjects(cluster);
  const methods = [
    GET_SERVER_INFO,
    HEALTH_CHECK,
    HEALTH_LIST,
    HEALTH_WATCH,
    SUBSCRIBE_KV_EVENTS,
  ].map((method) => api.method(methodName(method)));
  return {
    publish: ['$SRV.>', api.control('*'), ...methods],
    subscribe: [inboxes],
    allowResponses: true,
  };
}
