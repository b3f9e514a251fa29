import { chmodSync, chownSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KUBERNETES, readManifests, selects } from '../manifests.ts';
import type { Pod } from '../pods.ts';
import type { Engine } from './engine.ts';

const NETWORK = 'pods';
const KEYS = 'base/keys/';

/** Runs pods as a node of Kubernetes would, on one network that has no way out and knows no policies. */
export class PodEngine {
  readonly #engine: Engine;
  readonly #keys: string;

  constructor({ engine, keys }: { readonly engine: Engine; readonly keys: string }) {
    this.#engine = engine;
    this.#keys = keys;
  }

  createNetwork(): Promise<string> {
    return this.#engine.docker('network', 'create', '--internal', NETWORK);
  }

  async start(pod: Pod): Promise<void> {
    const { securityContext: user } = pod.spec;
    const { securityContext: container, resources, image, args } = pod.container;
    const flags = [
      ...['--name', pod.name, '--restart', 'always', '--no-healthcheck'],
      ...['--network', NETWORK, ...namesOf(pod).flatMap((name) => ['--network-alias', name])],
      ...['--user', `${user.runAsUser}:${user.runAsGroup}`, '--group-add', `${user.fsGroup}`],
      ...['--memory', resources.limits.memory!.replace(/i$/, '').toLowerCase()],
      ...container.capabilities.drop.flatMap((name) => ['--cap-drop', name]),
      ...(container.readOnlyRootFilesystem ? ['--read-only'] : []),
      ...(container.allowPrivilegeEscalation ? [] : ['--security-opt', 'no-new-privileges']),
      ...Object.entries(pod.env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...this.#mounts(pod),
    ];
    await this.#engine.docker('run', '--detach', ...flags, image, ...args);
  }

  /** The address of a pod; undefined while it does not run. */
  async addressOf({ name }: Pod): Promise<string | undefined> {
    const format = `{{(index .NetworkSettings.Networks "${NETWORK}").IPAddress}}`;
    return (await this.#engine.docker('inspect', '--format', format, name)).trim() || undefined;
  }

  /** Ends it as for a drain, hook before the signal; resolves to its exit code. */
  async stop({ name, spec, container }: Pod): Promise<number> {
    const { terminationGracePeriodSeconds: seconds = 30 } = spec;
    const hook = container.lifecycle?.preStop.exec.command;
    if (hook !== undefined) await this.#engine.docker('exec', name, ...hook);
    await this.#engine.docker('stop', '--time', `${seconds}`, name);
    const format = '{{.State.ExitCode}}';
    return Number(await this.#engine.docker('inspect', '--format', format, name));
  }

  async remove(pods: readonly Pod[]): Promise<void> {
    await this.#engine.docker('rm', '--force', ...pods.map(({ name }) => name));
    await this.#engine.docker('network', 'rm', NETWORK);
  }

  /** Files with the owner, group and mode that a node gives to them; what is written goes to memory. */
  #mounts({ name, files, spec, container }: Pod): string[] {
    const directory = join(this.#engine.directory, 'pods', name);
    mkdirSync(directory, { recursive: true });
    const bound = [...files].flatMap(([path, { source, mode }], index) => {
      const file = join(directory, `${index}`);
      const isKey = source.startsWith(KEYS);
      copyFileSync(
        isKey ? join(this.#keys, source.slice(KEYS.length)) : join(KUBERNETES, source),
        file,
      );
      chownSync(file, 0, spec.securityContext.fsGroup);
      chmodSync(file, mode);
      return ['--volume', `${file}:${path}:ro`];
    });
    const inMemory = spec.volumes.filter(({ emptyDir }) => emptyDir?.medium === 'Memory');
    const writable = container.volumeMounts.filter((mount) =>
      inMemory.some((volume) => volume.name === mount.name),
    );
    return [...bound, ...writable.flatMap(({ mountPath }) => ['--tmpfs', mountPath])];
  }
}

/** The services that lead to a pod. */
function namesOf({ labels }: Pod): string[] {
  return readManifests('base')
    .filter(
      ({ kind, spec }) => kind === 'Service' && selects({ matchLabels: spec.selector! }, labels),
    )
    .map(({ metadata }) => metadata.name);
}
