/** Labels that a cluster's DNS has before its domain: `<service>.<namespace>.svc`, `<pod>.<namespace>.pod`. */
const CLUSTER_LABELS = new Set(['svc', 'pod']);

/**
 * Why a host may lead to another namespace of the cluster than `namespace`, as the end of a sentence; undefined where its
 * name alone cannot. A name with one dot (`orders.shop`) is none of the cluster's as long as it is resolved as it stands.
 */
export function leavesNamespace(hostname: string, namespace: string): string | undefined {
  const labels = hostname.toLowerCase().replace(/\.$/, '').split('.');
  if (labels.length === 1) return 'has no dot, and so is a name of the receiver’s own namespace';
  const at = labels.findIndex((label, i) => i >= 2 && CLUSTER_LABELS.has(label));
  const named = at < 0 ? undefined : labels[at - 1];
  return named === undefined || named === namespace ? undefined : `is in the namespace ${named}`;
}
