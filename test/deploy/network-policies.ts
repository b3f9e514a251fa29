import { type Labels, type Manifest, type Peer, type PolicyRule, selects } from './manifests.ts';

/** Who speaks or is spoken to. */
export interface Party {
  readonly labels: Labels;
  /** Whether it is in the namespace of the policies, which say nothing of what others may send. */
  readonly isInside: boolean;
}

type Direction = 'Ingress' | 'Egress';

/** Whether policies let one party open a connection to a port of another. */
export function isAllowed(
  policies: readonly Manifest[],
  connection: { readonly from: Party; readonly to: Party; readonly port: number },
): boolean {
  const { from, to } = connection;
  return (
    passes(policies, 'Egress', { self: from, other: to, port: connection.port }) &&
    passes(policies, 'Ingress', { self: to, other: from, port: connection.port })
  );
}

function passes(
  policies: readonly Manifest[],
  direction: Direction,
  { self, other, port }: { readonly self: Party; readonly other: Party; readonly port: number },
): boolean {
  if (!self.isInside) return true;
  const concerned = policies.filter(
    ({ spec }) => spec.policyTypes!.includes(direction) && selects(spec.podSelector!, self.labels),
  );
  if (concerned.length === 0) return true;
  return concerned.some(({ spec }) =>
    rulesOf(spec, direction).some(
      (rule) =>
        (rule.from ?? rule.to)!.some((peer) => isMeant(peer, other)) &&
        rule.ports.some((each) => each.port === port),
    ),
  );
}

function rulesOf(
  { ingress = [], egress = [] }: Manifest['spec'],
  direction: Direction,
): readonly PolicyRule[] {
  return direction === 'Ingress' ? ingress : egress;
}

/** Where a namespace is chosen at all, it is any. */
function isMeant({ podSelector = {}, namespaceSelector }: Peer, other: Party): boolean {
  if (namespaceSelector === undefined && !other.isInside) return false;
  if (namespaceSelector !== undefined && Object.keys(namespaceSelector).length > 0) {
    throw new Error('a policy chooses namespaces by labels');
  }
  return selects(podSelector, other.labels);
}
