import type { Finding } from '../../receiver/errors.ts';

/** A finding and the resource it is about, as `Kind namespace/name: field: what is wrong, and the remedy`. */
export function formatFinding(
  finding: Finding & { readonly kind: string; readonly namespace: string; readonly name: string },
): string {
  const { kind, namespace, name, field, message } = finding;
  const where = name === '' ? `${namespace}/(no name)` : `${namespace}/${name}`;
  return `${kind} ${where}: ${field === '' ? '' : `${field}: `}${message}`;
}
