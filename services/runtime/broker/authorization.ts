import { type BrokerRole, type Permissions, permissionsOf } from './permissions.ts';

/** Somebody who may connect, by the public half of an nkey. */
export interface BrokerUser {
  readonly name: string;
  readonly role: BrokerRole;
  readonly publicKey: string;
}

export interface Authorization {
  readonly cluster: string;
  readonly users: readonly BrokerUser[];
  /** Public key of who may look into the broker itself, through `$SYS`. */
  readonly systemPublicKey: string;
  /** What connections without a key may do; where absent there are none. */
  readonly anonymous?: { readonly permissions: Permissions; readonly password: string } | undefined;
}

const ANONYMOUS = 'anonymous';

/**
 * The part of a nats-server's configuration that says who may connect, and what each of them may
 * publish and hear: users in one account, the broker's own subjects in another. Within what 2.9
 * knows.
 */
export function authorizationText(authorization: Authorization): string {
  const { cluster, users, systemPublicKey, anonymous } = authorization;
  return [
    '# Public keys, each with what its holder may do. Written by `sohu keys init`.',
    'accounts {',
    '  SOHU {',
    '    users: [',
    ...users.flatMap(({ name, role, publicKey }) =>
      userLines(name, `nkey: ${publicKey}`, permissionsOf(role, cluster, publicKey)),
    ),
    ...(anonymous === undefined ? [] : anonymousLines(anonymous)),
    '    ]',
    '  }',
    '  SYS {',
    `    users: [ { nkey: ${systemPublicKey} } ]`,
    '  }',
    '}',
    'system_account: SYS',
    ...(anonymous === undefined ? [] : [`no_auth_user: ${ANONYMOUS}`]),
    '',
  ].join('\n');
}

function anonymousLines({ password, permissions }: NonNullable<Authorization['anonymous']>) {
  const who = `user: ${ANONYMOUS}, password: ${JSON.stringify(password)}`;
  return userLines('without a key', who, permissions);
}

function userLines(name: string, who: string, permissions: Permissions): string[] {
  const { publish, subscribe, denySubscribe = [], allowResponses } = permissions;
  return [
    `      # ${name}`,
    `      { ${who}, permissions: {`,
    `          publish: ${rule(publish)}`,
    `          subscribe: ${rule(subscribe, denySubscribe)}`,
    ...(allowResponses ? ['          allow_responses: { max: 1, expires: "10s" }'] : []),
    '      } }',
  ];
}

function rule(allow: readonly string[], deny: readonly string[] = []): string {
  const denied = deny.length === 0 ? '' : `, deny: ${JSON.stringify(deny)}`;
  return `{ allow: ${JSON.stringify(allow)}${denied} }`;
}
