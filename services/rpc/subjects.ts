import { InvalidArgumentError } from '../core/support/errors.ts';

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
const REPLY = /^_INBOX[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$/;

/** Whether a name can be one token of a subject: no dots, wildcards or spaces. */
export function isToken(name: string): boolean {
  return TOKEN.test(name);
}

/**
 * Whether a server may answer there. Only inboxes: a request must not make the server publish to
 * the subjects of other parts of the cluster on the client's behalf.
 */
export function isReplySubject(subject: string): boolean {
  return subject.length <= 256 && REPLY.test(subject);
}

/** The subjects of the API of one cluster. */
export class ApiSubjects {
  readonly #prefix: string;

  constructor(cluster: string) {
    if (!isToken(cluster)) {
      throw new InvalidArgumentError(
        `cluster must be 1 to 64 letters, digits, "-" or "_", not "${cluster}"`,
      );
    }
    this.#prefix = `sohu.${cluster}.api`;
  }

  /** The whole API, control included. */
  get all(): string {
    return `${this.#prefix}.>`;
  }

  /** Where calls of `<Service>.<Method>` start: for any server, or for one by its id. */
  method(name: string, serverId?: string): string {
    const subject = `${this.#prefix}.${name}`;
    return serverId === undefined ? subject : `${subject}.${serverId}`;
  }

  /** `<Service>.<Method>` of a subject that `method` made, for any server or for that one. */
  methodOf(subject: string, serverId: string): string {
    const end = subject.endsWith(`.${serverId}`) ? -serverId.length - 1 : undefined;
    return subject.slice(this.#prefix.length + 1, end);
  }

  /** Where one server hears of cancellations. */
  control(serverId: string): string {
    return `${this.#prefix}.control.${serverId}`;
  }

  /** Where every server hears of them: for a call that ends before its server is known. */
  controlOfAll(): string {
    return this.control('all');
  }
}
