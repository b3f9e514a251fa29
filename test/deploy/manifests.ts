import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Namespace, Service } from 'kubernetes-models/v1';
import { parse, parseAllDocuments } from 'yaml';
import { packagePath } from '../../services/runtime/package-info.ts';

export const KUBERNETES = packagePath('deploy/kubernetes');

export type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

export interface KubernetesContainer {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: string[] } } };
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
  readonly resources: { readonly limits: Labels; readonly requests: Labels };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPathExpr?: string;
  }[];
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

export interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly defaultMode: number };
  readonly emptyDir?: { readonly medium: string };
  readonly projected?: { readonly sources: readonly { readonly configMap: { name: string } }[] };
}

/** One direction of a NetworkPolicy: from or to whom, at which ports. */
export interface PolicyRule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

export interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
  readonly spec: {
    readonly securityContext: {
      readonly runAsUser: number;
      readonly runAsGroup: number;
      readonly fsGroup: number;
    };
    readonly terminationGracePeriodSeconds?: number;
    readonly automountServiceAccountToken: boolean;
    readonly containers: readonly KubernetesContainer[];
    readonly volumes: readonly Volume[];
  };
}

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: Selector & Labels;
    readonly podSelector?: Selector;
    readonly template?: PodTemplate;
    readonly serviceName?: string;
    readonly clusterIP?: string;
    readonly minAvailable?: number;
    readonly maxUnavailable?: number;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly PolicyRule[];
    readonly egress?: readonly PolicyRule[];
    readonly ports?: readonly {
      readonly name: string;
      readonly port: number;
      readonly targetPort: string;
    }[];
    readonly endpoints?: readonly {
      readonly port: string;
      readonly relabelings: readonly {
        readonly sourceLabels: readonly string[];
        readonly targetLabel: string;
        readonly replacement: string;
      }[];
    }[];
  };
}

export interface Generator {
  readonly name: string;
  readonly literals?: readonly string[];
  readonly files?: readonly string[];
}

export interface Kustomization {
  readonly resources: readonly string[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
  readonly configMapGenerator?: readonly Generator[];
  readonly secretGenerator?: readonly Generator[];
}

export function readKustomization(folder: string): Kustomization {
  return parse(readFileSync(join(KUBERNETES, folder, 'kustomization.yaml'), 'utf8'));
}

/** The objects of the files that a kustomization names. */
export function readManifests(folder: string): Manifest[] {
  return readKustomization(folder)
    .resources.filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(KUBERNETES, folder, name), 'utf8'))
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Manifest));
}

type ModelClass = new (data: never) => { validate(): void };

// ServiceMonitor is of no Kubernetes release; its few fields are checked by name.
const MODELS: Readonly<Record<string, ModelClass>> = {
  'v1 Namespace': Namespace,
  'v1 Service': Service,
  'apps/v1 Deployment': Deployment,
  'apps/v1 StatefulSet': StatefulSet,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
};

/** Throws where an object is not what the schema of its kind says; undefined kinds throw too. */
export function validateManifest(manifest: Manifest): void {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const model = MODELS[kind];
  if (model === undefined) throw new Error(`no schema of ${kind}`);
  new model(manifest as never).validate();
}

/** Whether a selector picks what has the labels. */
export function selects(selector: Selector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => {
      if (operator !== 'In') throw new Error(`a selector with ${operator}`);
      return values.includes(labels[key] ?? '');
    })
  );
}
