import { basename, join, normalize } from 'node:path';
import {
  type Generator,
  type KubernetesContainer,
  type Labels,
  type Manifest,
  type PodTemplate,
  readKustomization,
  readManifests,
  type Volume,
} from './manifests.ts';

/** A pod as Kubernetes would make it. */
export interface Pod {
  readonly name: string;
  /** What it is: chip, coordinator, gateway or nats. */
  readonly component: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly spec: PodTemplate['spec'];
  readonly container: KubernetesContainer;
  readonly env: Readonly<Record<string, string>>;
  /** The files that are mounted, by their paths there: where each is from, below deploy/kubernetes, and its mode. */
  readonly files: ReadonlyMap<string, MountedFile>;
}

export interface MountedFile {
  readonly source: string;
  readonly mode: number;
}

/** What the generators of kustomizations make: each object's keys. */
type Generated = ReadonlyMap<string, Readonly<Record<string, string>>>;

const CONFIGURED = 0o644;

/** The pods of the base, as an overlay changes their settings. */
export function readPods(overlay?: 'phantom'): Pod[] {
  const folders = ['../nats', 'base', ...(overlay === undefined ? [] : [`overlays/${overlay}`])];
  const generated = generate(folders);
  return readManifests('base').flatMap((manifest) => {
    const { template, replicas = 1 } = manifest.spec ?? {};
    if (template === undefined) return [];
    return Array.from({ length: replicas }, (_, index) =>
      makePod(manifest, { template, index, generated }),
    );
  });
}

function generate(folders: readonly string[]): Generated {
  const objects = new Map<string, Record<string, string>>();
  for (const folder of folders) {
    const { configMapGenerator = [], secretGenerator = [] } = readKustomization(folder);
    for (const generator of [...configMapGenerator, ...secretGenerator]) {
      objects.set(generator.name, { ...objects.get(generator.name), ...keysOf(folder, generator) });
    }
  }
  return objects;
}

function keysOf(folder: string, { literals = [], files = [] }: Generator): Record<string, string> {
  const pairs = literals.map((literal) => /^([^=]+)=(.*)$/.exec(literal)!.slice(1));
  const named = files.map((file) => {
    const [, key, path] = /^(?:([^=]+)=)?(.*)$/.exec(file)!;
    return [key ?? basename(path!), normalize(join(folder, path!))];
  });
  return Object.fromEntries([...pairs, ...named]);
}

function makePod(
  { kind, metadata: { name } }: Manifest,
  from: { readonly template: PodTemplate; readonly index: number; readonly generated: Generated },
): Pod {
  const { template, index, generated } = from;
  const labels: Labels = {
    ...template.metadata.labels,
    ...(kind === 'StatefulSet' && { 'apps.kubernetes.io/pod-index': `${index}` }),
  };
  const [container] = template.spec.containers;
  const env = environmentOf(container!, labels, generated);
  const component = labels['app.kubernetes.io/component']!;
  const files = filesOf(template.spec.volumes, { container: container!, env, generated });
  const { spec, metadata } = template;
  return {
    ...{ name: `${name}-${index}`, component, labels, annotations: metadata.annotations ?? {} },
    ...{ spec, container: container!, env, files },
  };
}

function environmentOf(
  { env = [], envFrom = [] }: KubernetesContainer,
  labels: Labels,
  generated: Generated,
): Record<string, string> {
  const shared = envFrom.map(({ configMapRef }) => take(generated, configMapRef.name));
  const own = env.map(({ name, value, valueFrom }) => {
    if (value !== undefined) return [name, value];
    const [, label] = /^metadata\.labels\['(.+)'\]$/.exec(valueFrom!.fieldRef.fieldPath)!;
    return [name, take(new Map(Object.entries(labels)), label!)];
  });
  return Object.assign({}, ...shared, Object.fromEntries(own));
}

function filesOf(
  volumes: readonly Volume[],
  from: {
    readonly container: KubernetesContainer;
    readonly env: Readonly<Record<string, string>>;
    readonly generated: Generated;
  },
): Map<string, MountedFile> {
  const mounted = new Map<string, MountedFile>();
  for (const { name, mountPath, subPathExpr } of from.container.volumeMounts) {
    const volume = volumes.find((each) => each.name === name);
    if (volume === undefined) throw new Error(`no volume ${name}`);
    const { keys, mode } = contentOf(volume, from.generated);
    if (subPathExpr !== undefined) {
      const key = subPathExpr.replace(/\$\((\w+)\)/g, (_, variable) => from.env[variable] ?? '');
      mounted.set(mountPath, { source: take(new Map(Object.entries(keys)), key), mode });
    } else {
      for (const [key, source] of Object.entries(keys)) {
        mounted.set(`${mountPath}/${key}`, { source, mode });
      }
    }
  }
  return mounted;
}

function contentOf(
  { secret, projected }: Volume,
  generated: Generated,
): { readonly keys: Readonly<Record<string, string>>; readonly mode: number } {
  if (secret !== undefined) {
    return { keys: take(generated, secret.secretName), mode: secret.defaultMode };
  }
  const sources = projected?.sources ?? [];
  const maps = sources.map(({ configMap }) => take(generated, configMap.name));
  return { keys: Object.assign({}, ...maps), mode: CONFIGURED };
}

function take<Value>(from: ReadonlyMap<string, Value>, name: string): Value {
  const value = from.get(name);
  if (value === undefined) throw new Error(`nothing is called ${name}`);
  return value;
}
