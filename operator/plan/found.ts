/**
 * What a name leads to: `Invalid` where it is there in a form that counts for nothing. Only manifests hold such; an API
 * server takes none in.
 */
export type Found<T> = T | 'Invalid' | undefined;

/** What is told of a name that leads to nothing that counts. */
export function missing(kind: string, name: string, found: 'Invalid' | undefined): string {
  return found === 'Invalid'
    ? `${kind} "${name}" is invalid: correct what its own finding names`
    : `${kind} "${name}" does not exist in this namespace: create it, or name another`;
}
